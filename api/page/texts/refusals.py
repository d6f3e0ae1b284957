"""What the API refused, as the page says it; `static/refusals.js` knows which is which."""

from typing import Final

_GONE: Final = (
    "It no longer exists. Load the page again.",
    "すでに存在しません。ページを再読み込みしてください。",
)

TEXTS: Final = {
    "refused.no_receiver": (
        "Choose a destination, or give a webhook.",
        "通知先を選ぶか、Webhook の URL を入力してください。",
    ),
    "refused.required": ("Fill this in.", "入力してください。"),
    "refused.at_most": ("At most {0}.", "{0} 以下で入力してください。"),
    "refused.at_least": ("At least {0}.", "{0} 以上で入力してください。"),
    "refused.more_than": ("More than {0}.", "{0} より大きい値を入力してください。"),
    "refused.number": ("Enter a number.", "数値を入力してください。"),
    "refused.too_long": ("At most {0} characters.", "{0}文字以内で入力してください。"),
    "refused.too_many": ("At most {0}.", "{0}個までにしてください。"),
    "refused.none_chosen": ("Choose at least one.", "1つ以上選んでください。"),
    "refused.host": (
        "This host cannot be found, or it is in a private network, which is not allowed.",
        "ホストが見つからないか、許可されていないネットワークにあります。",
    ),
    "refused.scheme": (
        "Begin with https:// or http://.",
        "https:// または http:// で始まる URL を入力してください。",
    ),
    "refused.no_host": ("The host is missing or misspelt.", "ホスト名が正しくありません。"),
    "refused.password": (
        "Leave the user name and password out of the address.",
        "URL にユーザー名とパスワードを含めないでください。",
    ),
    "refused.no_url": ("This is not a URL.", "URL の形式が正しくありません。"),
    "refused.youtube": (
        "Use the address of one video: youtube.com/watch?v=…, /live/… or youtu.be/…",
        "個別の動画の URL（youtube.com/watch?v=…、/live/…、youtu.be/…）を入力してください。",
    ),
    "refused.pagerduty": (
        "It must be https://events.pagerduty.com/v2/enqueue?routing_key=… and nothing more.",
        "https://events.pagerduty.com/v2/enqueue?routing_key=… の形式で入力してください。",
    ),
    "refused.routing_key": (
        "The routing key has 32 letters and digits.",
        "routing_key は英数字32文字です。",
    ),
    "refused.alertmanager": (
        "Give Alertmanager's own address, without a query.",
        "Alertmanager の URL を、クエリーなしで入力してください。",
    ),
    "refused.apprise": (
        "This is not an Apprise URL that can be used. Check its form in Apprise's list of services.",
        "利用できない Apprise URL です。Apprise のサービス一覧で形式を確認してください。",
    ),
    "refused.duplicate": (
        "This stream is monitored already.",
        "この配信はすでに監視されています。",
    ),
    "refused.past": ("This is in the past.", "過去の日時です。"),
    "refused.not_after": (
        "The end must be after the beginning.",
        "終了は開始より後にしてください。",
    ),
    "refused.too_far": ("This is too far away.", "先の日時すぎます。"),
    "refused.slug": (
        "Small letters, digits and hyphens, none of them at either end.",
        "英小文字・数字・ハイフンで入力してください。先頭と末尾にハイフンは使えません。",
    ),
    "refused.maximum": (
        "There are {0} already, which is the maximum.",
        "すでに上限の{0}件に達しています。",
    ),
    "refused.gone": _GONE,
    "refused.secrets_key": (
        "This service cannot keep secrets: its operator must set SECRETS_KEY.",
        "秘密情報を保存できません。運用担当者による SECRETS_KEY の設定が必要です。",
    ),
    "refused.signing_key": (
        "Capsules need EVIDENCE_SIGNING_KEY, which the operator must set.",
        "カプセルには、運用担当者による EVIDENCE_SIGNING_KEY の設定が必要です。",
    ),
    "refused.header_name": (
        "One of the names is not that of a header you may set.",
        "設定できないヘッダー名が含まれています。",
    ),
    "refused.header_value": (
        "A value is missing, or has characters other than ASCII.",
        "値が空か、ASCII 以外の文字が含まれています。",
    ),
    "refused.label_key": (
        "Before the colon use small letters, digits and . _ / - only.",
        "コロンの前には英小文字・数字・. _ / - だけが使えます。",
    ),
    "refused.label_value": (
        "Write each as in team: sport, in at most 120 characters.",
        "team: sport のように、120文字以内で入力してください。",
    ),
    "refused.events": (
        "Use names of events, with * for anything: alert.* or stream.ended.",
        "alert.* や stream.ended のように入力してください（* はすべてに一致）。",
    ),
    "refused.no_labels": ("Give at least one label.", "ラベルを1つ以上入力してください。"),
    "refused.code.RATE_LIMIT_EXCEEDED": (
        "Too much at once. Wait a minute, then try again.",
        "操作が多すぎます。1分ほど待ってから、もう一度お試しください。",
    ),
    "refused.code.ENGINE_UNAVAILABLE": (
        "The service cannot do it right now. Try again in a moment.",
        "現在、処理できません。しばらくしてからもう一度お試しください。",
    ),
    "refused.code.MONITOR_NOT_ACTIVE": (
        "This monitor has ended already.",
        "この監視はすでに終了しています。",
    ),
    "refused.code.FORBIDDEN": (
        "This is not allowed. Load the page again, then try once more.",
        "許可されていません。ページを再読み込みして、もう一度お試しください。",
    ),
    "refused.code.INTERNAL_ERROR": (
        "Something failed in the service. Try again; its log says more.",
        "サービス内でエラーが発生しました。もう一度お試しください。詳細はログにあります。",
    ),
    "refused.code.MONITOR_NOT_FOUND": _GONE,
    "refused.code.DESTINATION_NOT_FOUND": _GONE,
    "refused.code.INCIDENT_NOT_FOUND": _GONE,
    "refused.code.SILENCE_NOT_FOUND": _GONE,
    "refused.code.STATUS_PAGE_NOT_FOUND": _GONE,
}
