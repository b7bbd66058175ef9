import { useTranslation } from "react-i18next";

import type { Changes } from "./days";

/** What an edit or a file changes, in words. */
export function ChangeList({ changes }: { changes: Changes }) {
  const { t } = useTranslation();
  const named = (days: Changes["holidays_added"]) =>
    days.map((each) => (each.name ? `${String(each.day)} ${String(each.name)}` : String(each.day)));
  const lines: [string, string[]][] = [
    ["announced", changes.announced.map(String)],
    ["no_longer_announced", changes.no_longer_announced.map(String)],
    ["holidays_added", named(changes.holidays_added)],
    ["holidays_removed", named(changes.holidays_removed)],
    ["make_up_added", changes.make_up_added],
    ["make_up_removed", changes.make_up_removed],
    ["settings", changes.settings.map((name) => t(`calendars.setting.${name}`))],
  ];
  const said = lines.filter(([, items]) => items.length > 0);
  if (said.length === 0) return <p>{t("calendars.nothing_changes")}</p>;
  return (
    <dl style={{ margin: 0 }}>
      {said.map(([key, items]) => (
        <div key={key} style={{ marginBottom: 8 }}>
          <dt style={{ fontWeight: 600 }}>{t(`calendars.change.${key}`, { count: items.length })}</dt>
          <dd style={{ margin: 0 }}>{items.join(", ")}</dd>
        </div>
      ))}
    </dl>
  );
}
