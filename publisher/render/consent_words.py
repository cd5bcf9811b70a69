"""The words of subscribing and leaving: of the pages, and of the message that asks to confirm.

As in words.py: phrases with `{braces}` are filled in with `str.format`.
"""

import msgspec


class ConsentWords(msgspec.Struct, frozen=True, kw_only=True):
    """The words and phrases of one language."""

    # Pages: a title, its text, and sometimes what stands below
    check_mailbox: str
    check_mailbox_text: str
    check_mailbox_hint: str
    bad_address: str
    bad_address_text: str
    confirm: str
    confirm_text: str
    confirm_button: str
    confirm_hint: str
    confirmed: str
    confirmed_text: str
    link_unusable: str
    link_unusable_text: str
    end: str
    end_text: str
    end_button: str
    ended: str
    ended_text: str
    ended_hint: str
    not_subscribed: str
    not_subscribed_text: str
    trial: str
    trial_text: str
    not_found: str
    not_found_text: str
    refused: str
    refused_text: str
    unavailable: str
    unavailable_text: str
    to_home: str

    # The message
    subject: str
    asked: str
    link: str
    days: str
    ignore: str


_ENGLISH = ConsentWords(
    check_mailbox="Look into your mailbox",
    check_mailbox_text=(
        "If this address can be subscribed, a message with a link is on its way. The subscription "
        "begins once you have confirmed it there."
    ),
    check_mailbox_hint=(
        "Nothing after some minutes? The message may be among the junk mail, or the address may "
        "have a slip in it."
    ),
    bad_address="This is no e-mail address",
    bad_address_text="No mail can be sent to “{address}”. Please look for a slip and try again.",
    confirm="Confirm your subscription",
    confirm_text="One click more, and you get every new issue of {title} by e-mail.",
    confirm_button="Confirm",
    confirm_hint="If it was not you who asked for it, close this page, and nothing happens.",
    confirmed="You are subscribed",
    confirmed_text=(
        "The next issue of {title} comes by e-mail. A link at the end of every message ends the "
        "subscription at once."
    ),
    link_unusable="This link does not work any more",
    link_unusable_text=(
        "It was used up, is too old, or was not copied as a whole. You can subscribe on the home "
        "page at any time."
    ),
    end="End your subscription?",
    end_text="Press the button, and {title} sends you no further issue.",
    end_button="Unsubscribe",
    ended="You are unsubscribed",
    ended_text=(
        "{title} sends you no further issue. One that is on its way already may still arrive."
    ),
    ended_hint="If that was a slip, subscribe again on the home page.",
    not_subscribed="You are not subscribed",
    not_subscribed_text="{title} sends you no issues. There is nothing left to do.",
    trial="This was a trial message",
    trial_text=(
        "In a reader’s own message this link ends the subscription. From here nothing was changed."
    ),
    not_found="There is nothing here",
    not_found_text="The address may have a slip in it, or what stood here has moved.",
    refused="This could not be accepted",
    refused_text=(
        "The form was not sent as it should have been. Please try again from the home page."
    ),
    unavailable="This does not work just now",
    unavailable_text="Please try again in a few minutes.",
    to_home="To the home page of {title}",
    subject="Please confirm: {title}",
    asked="Somebody, very likely you, asked to get {title} at this address.",
    link="Confirm the subscription",
    days="The link opens a page with a button, and works for {days} days.",
    ignore=(
        "If it was not you, you need do nothing: nobody is subscribed who does not confirm it."
    ),
)

_CHINESE = ConsentWords(
    check_mailbox="请查看您的邮箱",
    check_mailbox_text=(
        "如果该邮箱可以订阅，一封带有链接的邮件已在途中。请打开邮件确认，确认后订阅即生效。"
    ),
    check_mailbox_hint="几分钟后仍未收到？请查看垃圾邮件，或检查邮箱地址是否有误。",
    bad_address="这不是有效的邮箱地址",
    bad_address_text="无法向“{address}”发送邮件。请检查后重试。",
    confirm="确认订阅",
    confirm_text="只差一步：点击按钮，《{title}》的每期新刊将送达您的邮箱。",
    confirm_button="确认",
    confirm_hint="如果不是您本人提出的订阅，关闭本页即可，不会有任何变化。",
    confirmed="订阅成功",
    confirmed_text="《{title}》的下一期将送达您的邮箱。每封邮件末尾都有退订链接，点击后立即退订。",
    link_unusable="此链接已失效",
    link_unusable_text="链接可能已被使用、已过期，或没有完整复制。您可以随时在首页重新订阅。",
    end="要退订吗？",
    end_text="点击按钮后，《{title}》不再向您发送新刊。",
    end_button="退订",
    ended="您已退订",
    ended_text="《{title}》不再向您发送新刊。已在途中的邮件可能仍会送达。",
    ended_hint="如果是误操作，可以在首页重新订阅。",
    not_subscribed="您没有订阅",
    not_subscribed_text="《{title}》不会向您发送新刊，您无需任何操作。",
    trial="这是一封测试邮件",
    trial_text="在读者收到的邮件中，此链接用于退订。这里没有做任何更改。",
    not_found="这里没有内容",
    not_found_text="网址可能有误，或内容已移至别处。",
    refused="无法受理",
    refused_text="表单没有正确提交。请回到首页重新操作。",
    unavailable="暂时无法使用",
    unavailable_text="请几分钟后再试。",
    to_home="前往《{title}》首页",
    subject="请确认订阅《{title}》",
    asked="有人（很可能是您本人）申请用此邮箱订阅《{title}》。",
    link="确认订阅",
    days="链接将打开一个带有按钮的页面，{days} 天内有效。",
    ignore="如果不是您本人，无需任何操作：未经确认，不会有任何订阅。",
)

_ARABIC = ConsentWords(
    check_mailbox="تفقّد بريدك",
    check_mailbox_text=(
        "إن كان الاشتراك بهذا العنوان ممكنًا، فإن رسالة فيها رابط في طريقها إليك. يبدأ الاشتراك بعد "
        "تأكيده منها."
    ),
    check_mailbox_hint=(
        "لم يصلك شيء بعد دقائق؟ ابحث في البريد غير المرغوب فيه، أو تحقّق من كتابة العنوان."
    ),
    bad_address="هذا ليس عنوان بريد إلكتروني",
    bad_address_text="لا يمكن إرسال بريد إلى «{address}». صحّح العنوان ثم حاول مرة أخرى.",
    confirm="أكّد اشتراكك",
    confirm_text="بقيت خطوة واحدة: اضغط الزر ليصلك كل عدد جديد من {title} بالبريد الإلكتروني.",
    confirm_button="تأكيد",
    confirm_hint="إن لم تطلب ذلك بنفسك فأغلق هذه الصفحة، ولن يحدث شيء.",
    confirmed="تم اشتراكك",
    confirmed_text=(
        "سيصلك العدد التالي من {title} بالبريد الإلكتروني. في آخر كل رسالة رابط ينهي الاشتراك فورًا."
    ),
    link_unusable="لم يعد هذا الرابط صالحًا",
    link_unusable_text=(
        "ربما استُخدم من قبل، أو انتهت مدته، أو لم يُنسخ كاملًا. يمكنك الاشتراك من الصفحة الرئيسية في "
        "أي وقت."
    ),
    end="أتريد إنهاء اشتراكك؟",
    end_text="اضغط الزر ولن يصلك أي عدد آخر من {title}.",
    end_button="إلغاء الاشتراك",
    ended="أُلغي اشتراكك",
    ended_text="لن يصلك أي عدد آخر من {title}، إلا ما كان في طريقه إليك.",
    ended_hint="إن كان ذلك سهوًا فاشترك من جديد من الصفحة الرئيسية.",
    not_subscribed="أنت غير مشترك",
    not_subscribed_text="لا ترسل إليك {title} أي عدد، ولا حاجة إلى فعل شيء.",
    trial="هذه رسالة تجريبية",
    trial_text="هذا الرابط في رسالة القارئ ينهي الاشتراك. ولم يتغيّر هنا شيء.",
    not_found="لا شيء هنا",
    not_found_text="ربما في العنوان خطأ، أو نُقل ما كان هنا إلى مكان آخر.",
    refused="تعذّر قبول الطلب",
    refused_text="لم يُرسل النموذج كما ينبغي. حاول مرة أخرى من الصفحة الرئيسية.",
    unavailable="الخدمة غير متاحة الآن",
    unavailable_text="حاول مرة أخرى بعد بضع دقائق.",
    to_home="إلى الصفحة الرئيسية: {title}",
    subject="أكّد اشتراكك: {title}",
    asked="طلب أحدهم، ولعله أنت، أن تصل {title} إلى هذا العنوان.",
    link="تأكيد الاشتراك",
    days="يفتح الرابط صفحة فيها زر، ومدة صلاحيته {days} أيام.",
    ignore="إن لم تكن أنت فلا حاجة إلى فعل شيء: لا يُشترك أحد من غير تأكيده.",
)

_LANGUAGES = {"en": _ENGLISH, "zh": _CHINESE, "ar": _ARABIC}


def consent_words(language: str) -> ConsentWords:
    """Give the words for a BCP 47 tag, by its language subtag; English where there are none."""
    return _LANGUAGES.get(language.lower().split("-")[0], _ENGLISH)
