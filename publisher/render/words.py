"""The interface's own words, in the languages that publications are made in.

Phrases with `{braces}` are filled in with `str.format`. In a template, a phrase that takes words
with markup is made safe first: `(words.continue_reading | e).format(title=span)`.
"""

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words and phrases of one language; `language` is its BCP 47 tag.

    `language` differs from the document's where the document's has no words of its own yet.
    """

    language: str

    # Message and pages
    issue_number: str
    in_this_issue: str
    source: str
    tags: str
    continue_reading: str
    view_on_web: str
    issue_label: str

    # Message
    message: str
    labelled: str
    reason: str
    unsubscribe: str
    separator: str
    list_separator: str

    # Pages
    skip_to_content: str
    home: str
    newest_issue: str
    earlier_issues: str
    archive: str
    previous_issue: str
    next_issue: str
    tagged: str
    feeds: str
    of_highlights: str
    of_issues: str
    subscribe: str
    subscribe_pitch: str
    your_email: str
    your_name: str
    leave: str
    leave_pitch: str
    permalink: str
    page: str
    newer: str
    older: str
    withdrawn_pitch: str
    site_navigation: str
    other_issues: str
    other_highlights: str
    years: str
    issues_of: str
    pages: str
    whole_issue: str
    as_message: str
    previous_highlight: str
    next_highlight: str
    feeds_pitch: str
    all_feeds: str
    confirm_pitch: str
    leave_empty: str
    withdrawn_issue: str
    withdrawn_highlight: str
    withdrawn_on: str
    withdrawn_because: str


_ENGLISH = Words(
    language="en",
    issue_number="Issue {number}",
    in_this_issue="In this issue",
    source="Source: {name}",
    tags="Tags",
    continue_reading="Continue reading: {title}",
    view_on_web="View on the web",
    issue_label="{title}, {day}",
    message="e-mail",
    labelled="{label}: {value}",
    reason="You receive this message because you subscribed to {title}.",
    unsubscribe="Unsubscribe",
    separator=" · ",
    list_separator=", ",
    skip_to_content="Skip to the content",
    home="Home",
    newest_issue="The newest issue",
    earlier_issues="Earlier issues",
    archive="Archive",
    previous_issue="Previous issue",
    next_issue="Next issue",
    tagged="Tagged “{label}”",
    feeds="Feeds",
    of_highlights="Highlights",
    of_issues="Issues",
    subscribe="Subscribe",
    subscribe_pitch="Every new issue, by e-mail.",
    your_email="Your e-mail address",
    your_name="Your name (optional)",
    leave="Unsubscribe",
    leave_pitch="Every message has a link at its end that ends your subscription at once.",
    permalink="Permanent link",
    page="Page {number}",
    newer="Newer",
    older="Older",
    withdrawn_pitch="What stood here was taken back by the editors.",
    site_navigation="Site",
    other_issues="Other issues",
    other_highlights="More from this issue",
    years="Years",
    issues_of="Issues of {year}",
    pages="Pages",
    whole_issue="Read the whole issue: {title}",
    as_message="This issue as it was mailed",
    previous_highlight="Previous highlight",
    next_highlight="Next highlight",
    feeds_pitch=(
        "A feed brings new issues to a reader program of your choice, without giving an "
        "address: copy one of these links into it."
    ),
    all_feeds="All feeds in one file (OPML)",
    confirm_pitch="You will get one message with a button that confirms it.",
    leave_empty="Leave this field empty",
    withdrawn_issue="This issue was withdrawn",
    withdrawn_highlight="This highlight was withdrawn",
    withdrawn_on="Withdrawn on {day}",
    withdrawn_because="Reason: {reason}",
)

_CHINESE = Words(
    language="zh",
    issue_number="第 {number} 期",
    in_this_issue="本期要目",
    source="来源：{name}",
    tags="标签",
    continue_reading="继续阅读：{title}",
    view_on_web="在网页上阅读",
    issue_label="{title}，{day}",
    message="电子邮件",
    labelled="{label}：{value}",
    reason="您收到这封邮件，是因为您订阅了《{title}》。",
    unsubscribe="退订",
    separator="　",
    list_separator="、",
    skip_to_content="跳至正文",
    home="首页",
    newest_issue="最新一期",
    earlier_issues="往期",
    archive="存档",
    previous_issue="上一期",
    next_issue="下一期",
    tagged="标签“{label}”",
    feeds="订阅源",
    of_highlights="要目",
    of_issues="各期",
    subscribe="订阅",
    subscribe_pitch="每期新刊，邮件送达。",
    your_email="您的电子邮箱",
    your_name="您的姓名（选填）",
    leave="退订",
    leave_pitch="每封邮件末尾都有退订链接，点击后立即退订。",
    permalink="固定链接",
    page="第 {number} 页",
    newer="较新",
    older="较早",
    withdrawn_pitch="此处内容已由编辑撤回。",
    site_navigation="网站导航",
    other_issues="其他各期",
    other_highlights="本期更多内容",
    years="年份",
    issues_of="{year} 年各期",
    pages="分页",
    whole_issue="阅读整期：{title}",
    as_message="本期邮件版",
    previous_highlight="上一条",
    next_highlight="下一条",
    feeds_pitch="订阅源可将新内容送到您选用的阅读器，无需留下邮箱：把下面任一链接复制到阅读器即可。",
    all_feeds="全部订阅源合为一个文件（OPML）",
    confirm_pitch="您将收到一封邮件，点击其中的按钮即可确认。",
    leave_empty="请将此栏留空",
    withdrawn_issue="本期已撤回",
    withdrawn_highlight="本条已撤回",
    withdrawn_on="撤回日期：{day}",
    withdrawn_because="原因：{reason}",
)

_ARABIC = Words(
    language="ar",
    issue_number="العدد {number}",
    in_this_issue="في هذا العدد",
    source="المصدر: {name}",
    tags="الوسوم",
    continue_reading="تابع القراءة: {title}",
    view_on_web="اقرأ على الويب",
    issue_label="{title}، {day}",
    message="رسالة بريدية",
    labelled="{label}: {value}",
    reason="تصلك هذه الرسالة لأنك مشترك في {title}.",
    unsubscribe="إلغاء الاشتراك",
    separator=" · ",
    list_separator="، ",
    skip_to_content="انتقل إلى المحتوى",
    home="الرئيسية",
    newest_issue="أحدث عدد",
    earlier_issues="أعداد سابقة",
    archive="الأرشيف",
    previous_issue="العدد السابق",
    next_issue="العدد التالي",
    tagged="الوسم «{label}»",
    feeds="الخلاصات",
    of_highlights="العناوين",
    of_issues="الأعداد",
    subscribe="اشترك",
    subscribe_pitch="كل عدد جديد يصلك بالبريد الإلكتروني.",
    your_email="بريدك الإلكتروني",
    your_name="اسمك (اختياري)",
    leave="إلغاء الاشتراك",
    leave_pitch="في آخر كل رسالة رابط ينهي اشتراكك فورًا.",
    permalink="رابط دائم",
    page="الصفحة {number}",
    newer="الأحدث",
    older="الأقدم",
    withdrawn_pitch="سحب المحررون ما كان هنا.",
    site_navigation="الموقع",
    other_issues="أعداد أخرى",
    other_highlights="المزيد من هذا العدد",
    years="السنوات",
    issues_of="أعداد {year}",
    pages="الصفحات",
    whole_issue="اقرأ العدد كاملًا: {title}",
    as_message="هذا العدد كما أُرسل بالبريد",
    previous_highlight="العنوان السابق",
    next_highlight="العنوان التالي",
    feeds_pitch=(
        "تجلب الخلاصة كل جديد إلى برنامج القراءة الذي تختاره من غير أن تعطي عنوانك: انسخ إليه "
        "أحد هذه الروابط."
    ),
    all_feeds="كل الخلاصات في ملف واحد (OPML)",
    confirm_pitch="ستصلك رسالة واحدة فيها زر للتأكيد.",
    leave_empty="اترك هذا الحقل فارغًا",
    withdrawn_issue="سُحب هذا العدد",
    withdrawn_highlight="سُحب هذا العنوان",
    withdrawn_on="تاريخ السحب: {day}",
    withdrawn_because="السبب: {reason}",
)

_LANGUAGES = {"en": _ENGLISH, "zh": _CHINESE, "ar": _ARABIC}


def words(language: str) -> Words:
    """Give the words for a BCP 47 tag, by its language subtag; English where there are none."""
    return _LANGUAGES.get(language.lower().split("-")[0], _ENGLISH)
