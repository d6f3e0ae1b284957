"""The words of public status pages, and of the pages that make them."""

from typing import Final

TEXTS: Final = {
    "status_pages.title": ("Status pages", "ステータスページ"),
    "status_pages.intro": (
        "Anybody may see a status page, without a key. It shows names, states, 90 days and "
        "incidents of the monitors that you choose: no URL, no reason, no note.",
        "ステータスページは、キーがなくても誰でも閲覧できます。選んだ監視対象の名前・状態・90日間の稼働率・"
        "障害を表示します。URL・理由・メモは表示しません。",
    ),
    "status_pages.new": ("New status page", "ステータスページを追加"),
    "status_pages.empty": ("No status page yet", "ステータスページがまだありません"),
    "status_pages.empty.do": (
        "Publish one, and viewers see for themselves whether a fault is known.",
        "公開すると、障害が発生しているかどうかを視聴者が自分で確認できます。",
    ),
    "status_pages.all": ("All status pages", "ステータスページの一覧"),
    "status_page.open": ("Open", "表示"),
    "status_page.edit": ("Edit", "編集"),
    "status_page.count": ("Monitors: {n}", "監視対象 {n}件"),
    "status_page.slug": ("Address", "アドレス"),
    "status_page.slug.hint": (
        "Small letters, digits and hyphens; the page is at /status/ADDRESS.",
        "英小文字・数字・ハイフンが使えます。ページは /status/アドレス で公開されます。",
    ),
    "status_page.title": ("Title", "タイトル"),
    "status_page.note": ("Sentence below it (optional)", "説明文（任意）"),
    "status_page.note.hint": (
        "As in: Questions? support@example.com",
        "例：お問い合わせは support@example.com まで",
    ),
    "status_page.monitors": ("Monitors", "表示する監視対象"),
    "status_page.monitors.hint": (
        "The name you enter beside a monitor is what everybody reads. Empty: its own name.",
        "横の欄に入力した名前が公開されます。空欄の場合は、監視対象の名前を表示します。",
    ),
    "status_page.shown_as": ("{name} is shown as", "「{name}」の表示名"),
    "status_page.publish": ("Publish", "公開"),
    "status_page.save": ("Save", "保存"),
    "status_page.remove": ("Take down", "公開を終了"),
    "status_page.remove.question": ("Take down {name}?", "「{name}」の公開を終了しますか？"),
    "status_page.remove.meaning": (
        "Its address then says that there is no status page.",
        "以後、このアドレスを開いても「見つかりません」と表示されます。",
    ),
    "public.all.ok": ("All is well", "すべて正常です"),
    "public.all.faulty.one": ("A fault on {name}", "{name}で障害が発生しています"),
    "public.all.faulty": (
        "Faults on {n} of {total} streams",
        "{total}配信中{n}配信で障害が発生しています",
    ),
    "public.all.warning": ("On air, with flaws", "一部に不具合があります"),
    "public.all.unknown": (
        "The state is not known for all streams",
        "一部の状態を確認できていません",
    ),
    "public.all.off_air": ("Nothing is on air", "現在、配信は行われていません"),
    "public.state.ok": ("OK", "正常"),
    "public.state.faulty": ("Fault", "障害"),
    "public.state.warning": ("Flaw", "不具合"),
    "public.state.unknown": ("Not known", "確認中"),
    "public.state.off_air": ("Not on air", "配信なし"),
    "public.days": ("The last 90 days, by UTC", "過去90日間（UTC）"),
    "public.today": ("today", "今日"),
    "public.days_ago": ("90 days ago", "90日前"),
    "public.incidents": ("Incidents", "障害"),
    "public.incidents.none": ("None in the last 90 days.", "過去90日間に障害はありません。"),
    "public.incidents.newest": ("The newest {n}.", "新しい{n}件を表示しています。"),
    "public.incident.goes_on": ("Ongoing", "継続中"),
    "public.incident.planned": ("in announced maintenance", "計画メンテナンス中"),
    "public.as_of": ("As of", "最終更新"),
    "public.refreshed": ("This page refreshes every minute.", "1分ごとに自動更新します。"),
    "public.missing": ("There is no status page here", "ステータスページが見つかりません"),
}
