"""The words of the page of availability."""

from typing import Final

TEXTS: Final = {
    "availability.title": ("Availability", "稼働率"),
    "availability.intro": (
        "Share of the time that a stream was live. Time that nobody saw counts as down in the lower "
        "figure, as up in the higher one.",
        "配信中の時間に対する割合です。確認できなかった時間は、下限では停止、上限では稼働として数えます。",
    ),
    "availability.period": ("Period", "期間"),
    "availability.period.24h": ("24 hours", "24時間"),
    "availability.period.7d": ("7 days", "7日間"),
    "availability.period.30d": ("30 days", "30日間"),
    "availability.period.90d": ("90 days", "90日間"),
    "availability.period.year": ("12 months", "12か月"),
    "availability.label": ("Label", "ラベル"),
    "availability.show": ("Show", "表示"),
    "availability.csv": ("Save as CSV", "CSV で保存"),
    "availability.monitor": ("Monitor", "監視対象"),
    "availability.percent": ("Available", "稼働率"),
    "availability.history.24h": ("By the hour", "1時間ごと"),
    "availability.history.7d": ("By the day", "1日ごと"),
    "availability.history.30d": ("By the day", "1日ごと"),
    "availability.history.90d": ("By the day", "1日ごと"),
    "availability.history.year": ("By the month", "1か月ごと"),
    "availability.faulty": ("Faulty", "障害"),
    "availability.unseen": ("Not seen", "未確認"),
    "availability.live": ("Live", "配信時間"),
    "availability.never_live": ("not live", "配信なし"),
    "availability.empty": (
        "Nothing was monitored in this time",
        "この期間の監視データはありません",
    ),
    "availability.empty.do": (
        "Choose a longer time, or clear the label.",
        "期間を長くするか、ラベルの指定を解除してください。",
    ),
    "availability.more": (
        "The first {shown} monitors are shown. The CSV has all; a label narrows the list.",
        "先頭の{shown}件を表示しています。全件は CSV で取得できます。ラベルで絞り込むこともできます。",
    ),
    "availability.utc": ("Periods begin and end by UTC.", "区切りは UTC です。"),
    "bars.of": ("{name}: {percent} available", "{name}：稼働率 {percent}"),
    "bars.never_live": ("{name}: not live in this time", "{name}：この期間は配信なし"),
    "bars.faults": (
        "{count} of {total} periods with faults",
        "{total}区間中{count}区間で障害",
    ),
    "bars.ok": ("OK", "正常"),
    "bars.faulty": ("fault", "障害"),
    "bars.unseen": ("not seen", "未確認"),
    "bars.none": ("not live", "配信なし"),
    "bars.legend": ("Legend", "凡例"),
    "unit.percent": ("{value} %", "{value}%"),
    "unit.percents": ("{low} – {high} %", "{low}～{high}%"),
    "unit.days": ("{d} d {h} h", "{d}日{h}時間"),
    "unit.hours": ("{h} h {m} min", "{h}時間{m}分"),
    "unit.minutes": ("{m} min {s} s", "{m}分{s}秒"),
    "unit.seconds": ("{s} s", "{s}秒"),
}
