"""The words of the wall."""

from typing import Final

TEXTS: Final = {
    "wall.title": ("Wall", "ウォール"),
    "wall.filter": ("Filter", "絞り込み"),
    "wall.filter.hint": ("Name or label, as in team:sport", "名前、またはラベル（例 team:sport）"),
    "wall.label": ("Label", "ラベル"),
    "wall.label.all": ("All labels", "すべてのラベル"),
    "wall.full_screen": ("Full screen", "全画面"),
    "wall.full_screen.leave": ("Leave full screen", "全画面を終了"),
    "wall.sound": ("Sound alarm", "警告音"),
    "wall.new": ("New monitor", "監視対象を追加"),
    "wall.attention": ("Needs attention", "要対応"),
    "wall.others": ("All others", "その他"),
    "wall.loading": ("Loading the monitors…", "読み込んでいます…"),
    "wall.empty": ("Nothing is monitored yet", "監視対象がまだありません"),
    "wall.empty.do": (
        "Add the address of a live stream; its picture appears here within seconds.",
        "ライブ配信の URL を登録すると、数秒後にここに映像が表示されます。",
    ),
    "wall.none_match": ("No monitor matches the filter", "条件に一致する監視対象はありません"),
    "wall.none_match.do": ("Clear the filter", "絞り込みを解除"),
    "wall.more": (
        "Only {most} monitors are shown. The API lists all.",
        "{most}件のみ表示しています。すべての監視対象は API で取得できます。",
    ),
    "wall.script.count.error": ("{n} with faults", "障害 {n}"),
    "wall.script.count.warning": ("{n} with warnings", "警告 {n}"),
    "wall.script.count.unknown": ("{n} not known", "不明 {n}"),
    "wall.script.count.ok": ("{n} OK", "正常 {n}"),
    "wall.script.count.inactive": ("{n} not live", "配信外 {n}"),
    "wall.script.no_picture": ("No picture yet", "映像はまだありません"),
    "wall.script.no_picture.inactive": ("Not live", "配信されていません"),
    "wall.script.picture_age": ("Picture from {ago}", "{ago}の映像"),
    "wall.script.picture_failed": ("Picture cannot be loaded", "映像を読み込めません"),
    "wall.script.acknowledged": ("Acknowledged", "確認済み"),
    "wall.script.silenced": ("Silenced", "通知停止中"),
    "wall.script.not_seen": ("Cannot be seen", "監視できていません"),
    "wall.script.fault.video": ("Picture: fault begins", "映像に異常の兆候"),
    "wall.script.fault.audio": ("Sound: fault begins", "音声に異常の兆候"),
    "wall.script.alarm_blocked": (
        "The browser keeps the alarm quiet until you click. Click the switch once.",
        "ブラウザの制限により、クリックするまで警告音は鳴りません。スイッチを一度クリックしてください。",
    ),
    "wall.script.opened": ("{name}: {what}", "{name}：{what}"),
}
