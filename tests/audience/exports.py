"""Files as other systems export them: their column names, our own people, and the usual damage."""

from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

SUBSTACK = """\
email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
free@daily.example,false,,other,false,2024-07-01T08:30:00.000Z,
paid@daily.example,true,2027-07-01T00:00:00.000Z,yearly,false,2024-06-01T00:00:00.000Z,2024-07-15T00:00:00.000Z
off@daily.example,false,,other,true,2024-05-01T00:00:00.000Z,
cut@daily.example,false
unsure@daily.example,false,,other,,2024-05-01T00:00:00.000Z,
"""
# Beside its readers: who was sent a post, which has addresses in it too.
SUBSTACK_POSTS = "post_id,post_date,is_published,title\n1.first,2024-07-18T04:27:59.900Z,true,One\n"
SUBSTACK_DELIVERED = "post_id,timestamp,email\n1.first,2024-07-18T04:28:00Z,gone@daily.example\n"

_MAILCHIMP = (
    '"Email Address","First Name","Last Name",Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,'
    "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,{more},"
    "LEID,EUID,NOTES,TAGS\n"
)
_SUBSCRIBED = _MAILCHIMP.format(more="LAST_CHANGED")
_UNSUBSCRIBED = _MAILCHIMP.format(
    more="UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
)
_CLEANED = _MAILCHIMP.format(more="CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID")
MAILCHIMP = {
    "subscribed_email_audience_export_a1b2c3.csv": _SUBSCRIBED
    + 'twice@daily.example,Dora,"van ""Dyk"", jr.",,2,"2023-04-21 11:16:57",203.0.113.7,'
    '"2023-04-21 11:20:01",203.0.113.8,,,,,,,,"2023-04-21 11:20:01",1,e1,,"""Editors"""\n'
    "once@daily.example,,,,2,,,2018-02-12 10:54:27,,,,,,,,,,2,e2,,\n"
    "left@daily.example,Left,,,2,2018-02-12 10:54:27,,2018-02-12 10:54:27,,,,,,,,,,3,e3,,\n"
    "dead@daily.example,,,,1,2018-02-12 10:54:27,,2018-02-12 10:54:27,,,,,,,,,,4,e4,,\n",
    "unsubscribed_email_audience_export_a1b2c3.csv": _UNSUBSCRIBED
    + "LEFT@daily.example,Left,,,2,2018-02-12 10:54:27,,2018-02-12 10:54:27,,,,,,,,,"
    "2023-06-06 12:56:15,,,NORMAL,,3,e3,,\n"
    "angry@daily.example,,,,2,2018-02-12 10:54:27,,2018-02-12 10:54:27,,,,,,,,,"
    "2023-06-07 12:56:15,,,Spam Complaint,,5,e5,,\n",
    "cleaned_email_audience_export_a1b2c3.csv": _CLEANED
    + "dead@daily.example,,,,1,2018-02-05 19:28:23,,2018-02-05 19:28:23,,,,,,,,,"
    "2020-03-23 17:30:05,,,4,e4,,\n",
    "nonsubscribed_email_audience_export_a1b2c3.csv": _SUBSCRIBED
    + "buyer@daily.example,,,,2,,,,,,,,,,,,,6,e6,,\n",
}

GHOST = """\
id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
m1,vip@daily.example,Grace,"VIP, early\nbacker",true,true,cus_1,2024-01-15T10:00:00.000Z,,news,
m2,quiet@daily.example,Quiet,,false,false,,2024-02-01T12:30:00.000Z,,,
m3,deleted@daily.example,,,true,false,,2024-02-01T12:30:00.000Z,2025-01-01T00:00:00.000Z,,
"""

BUTTONDOWN = """\
id,email_address,type,creation_date,ip_address,notes,tags,metadata,source,unsubscription_date,undeliverability_date,undeliverability_reason
1,regular@daily.example,regular,2024-03-01T09:00:00.123456Z,2001:db8::1,,a,{},form,,,
2,paid@daily.example,premium,2024-03-01 09:00:00+00:00,,,,{},stripe,,,
3,waiting@daily.example,unactivated,2024-03-01T09:00:00Z,,,,{},form,,,
4,left@daily.example,unsubscribed,2024-03-01T09:00:00Z,,,,{},form,2025-02-03T04:05:06Z,,
5,dead@daily.example,undeliverable,2024-03-01T09:00:00Z,,,,{},form,,2025-02-03T04:05:06Z,hard_bounce
6,angry@daily.example,complained,2024-03-01T09:00:00Z,,,,{},form,,,
7,banned@daily.example,removed,2024-03-01T09:00:00Z,,,,{},form,,,
8,bot@daily.example,blocked,2024-03-01T09:00:00Z,,,,{},form,,,
9,odd@daily.example,regular,2024-03-01T09:00:00Z,,,,{},form,2025-02-03T04:05:06Z,,
10,new@daily.example,fancy,2024-03-01T09:00:00Z,,,,{},form,,,
"""
BUTTONDOWN_OLD = """\
email,notes,creation_date,subscriber_type,tags
regular@daily.example,,2020-03-01T09:00:00Z,regular,
left@daily.example,,2020-03-01T09:00:00Z,unsubscribed,
"""

BEEHIIV = """\
email,First Name,Last Name,status,tier,created_at,stripe_customer_id,unsubscribed_at
active@daily.example, Ada ,Berg,active,free,2023-03-24 10:23:10 UTC,,
inactive@daily.example,,,inactive,free,2023-03-24 10:36:48 UTC,,2024-01-02 03:04:05 UTC
pending@daily.example,,,pending,free,2023-03-24 10:36:48 UTC,,
invalid@daily.example,,,invalid,free,2023-03-24 10:36:48 UTC,,
"""
BEEHIIV_OLD = "Email,Status,Created At,Subscription Tier\nx@daily.example,Active,2025-10-10,free\n"

LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
u1,on@daily.example,On,"{""city"": ""Köln, am\nRhein""}",enabled,2025-01-01 10:00:00.1 +0000 +0000,
u2,off@daily.example,Off,{},disabled,2025-01-01 10:00:00 +0100 CET,2025-01-01
u3,never@daily.example,Never,{},blocklisted,0001-01-01 00:00:00 +0000 UTC,2025-01-01
"""


def pack(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of files."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()
