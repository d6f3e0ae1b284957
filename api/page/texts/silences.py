"""The words of the pages of silences."""

from typing import Final

TEXTS: Final = {
    "silences.title": ("Silences", "通知停止"),
    "silences.new": ("New silence", "通知停止を追加"),
    "silences.all": ("All silences", "通知停止の一覧"),
    "silences.intro": (
        "Incidents in a silence are recorded, but nobody is notified. One that is still open when "
        "the silence ends is notified then.",
        "通知停止中の障害は記録のみ行い、通知しません。終了時に継続中の障害は、その時点で通知します。",
    ),
    "silences.empty": ("Nothing is silenced", "通知停止はありません"),
    "silences.empty.do": (
        "Before maintenance, silence the monitors concerned.",
        "メンテナンスの前に、該当する監視対象の通知を停止できます。",
    ),
    "silence.running": ("Silent now", "停止中"),
    "silence.planned": ("Planned", "予定"),
    "silence.all_monitors": ("All monitors", "すべての監視対象"),
    "silence.monitors.more": ("and {n} more", "ほか{n}件"),
    "silence.kinds": ("Only:", "対象の種類："),
    "silence.until": ("until", "終了"),
    "silence.from": ("from", "開始"),
    "silence.held": ("Silenced until", "通知停止中 – 終了"),
    "silence.end.it": ("End the silence", "通知停止を解除"),
    "silence.reach.all": ("It applies to all monitors.", "すべての監視対象に適用されます。"),
    "silence.reach.labels": (
        "It applies to all monitors with {labels}.",
        "ラベル {labels} を持つすべての監視対象に適用されます。",
    ),
    "silence.reach.some": ("It applies to {n} monitors.", "{n}件の監視対象に適用されます。"),
    "silence.end": ("End now", "今すぐ解除"),
    "silence.end.planned": ("Cancel it", "予定を取り消す"),
    "silence.end.question": ("End this silence?", "通知停止を解除しますか？"),
    "silence.end.meaning": (
        "Incidents that are still open are notified at once.",
        "継続中の障害は、ただちに通知されます。",
    ),
    "silence.subject": ("Which monitors", "対象"),
    "silence.subject.monitors": ("These", "個別に選ぶ"),
    "silence.subject.labels": ("With labels", "ラベルで選ぶ"),
    "silence.subject.all": ("All", "すべて"),
    "silence.script.none_chosen": (
        "Choose at least one monitor.",
        "監視対象を1つ以上選んでください。",
    ),
    "silence.filter": ("Find a monitor", "監視対象を検索"),
    "silence.none_active": ("No monitor is active.", "稼働中の監視対象はありません。"),
    "silence.labels": ("Labels, one a line", "ラベル（1行に1つ）"),
    "silence.labels.hint": (
        "As in site:tokyo. It applies to monitors that have all of them, later ones included.",
        "例：site:tokyo。すべてのラベルを持つ監視対象に適用されます（今後追加するものも含みます）。",
    ),
    "silence.kinds.which": ("Which incidents", "対象の障害"),
    "silence.kinds.hint": (
        "None chosen: all of them.",
        "選択しない場合は、すべての障害が対象です。",
    ),
    "silence.when": ("When", "期間"),
    "silence.when.now": ("From now, for", "今から"),
    "silence.when.planned": ("At a planned time", "日時を指定"),
    "silence.starts_at": ("Beginning", "開始"),
    "silence.ends_at": ("End", "終了"),
    "silence.note": ("Note (optional)", "メモ（任意）"),
    "silence.note.hint": (
        "Why, and who: everyone sees it.",
        "理由や担当者など。全員に表示されます。",
    ),
    "silence.create": ("Silence", "通知を停止"),
}
