import { Popover, Tag } from "antd";
import { useTranslation } from "react-i18next";

import type { CaseView, Shapes } from "../../api/client";
import { day } from "../../app/dates";
import { TimeLeft } from "../../app/TimeLeft";
import { ClockActions } from "./ClockActions";

type ClockView = Shapes["ClockView"];

/** Why the date is what it is: the sentences that lead to it, then who did what. */
function Why({ clock }: { clock: ClockView }) {
  const { t, i18n } = useTranslation();
  return (
    <div style={{ maxWidth: 460 }}>
      {clock.why.map((sentence, index) => (
        <p key={index} style={{ margin: "0 0 8px" }}>
          {sentence}
        </p>
      ))}
      <ul style={{ margin: 0, paddingLeft: 16, color: "#545e6b" }}>
        {clock.lines.map((line, index) => (
          <li key={index}>
            {day(line.at, i18n.language)} · {t(`clock.verb.${line.verb}`)} · {line.actor_name}
            {line.letter_id ? ` · ${t("clock.told")}` : ""}
          </li>
        ))}
      </ul>
    </div>
  );
}

interface Props {
  clock: ClockView;
  view: CaseView;
  main: boolean;
  onChanged: (next: CaseView) => void;
}

/** One date with how it stands, why, and what may be done to it. */
export function Clock({ clock, view, main, onChanged }: Props) {
  const { t, i18n } = useTranslation();
  return (
    <div>
      <div style={{ color: "#545e6b" }}>{clock.name}</div>
      <div style={{ fontSize: main ? 24 : 16, fontWeight: main ? 700 : 400 }}>
        {day(clock.due_at, i18n.language)}
      </div>
      {clock.state === "running" && <TimeLeft remaining={clock.remaining_working_days} />}
      {clock.state === "paused" && (
        <Tag variant="solid" color="#545e6b">
          {t("clock.paused")}
          {clock.open_pauses.map((name) => clock.pauses[name] ?? name).filter(Boolean).length > 0 &&
            `: ${clock.open_pauses.map((name) => clock.pauses[name] ?? name).join(", ")}`}
        </Tag>
      )}
      {clock.provisional && <Tag>{t("clock.provisional")}</Tag>}
      <Popover content={<Why clock={clock} />} title={t("clock.why")} trigger={["hover", "click"]}>
        <a role="button" tabIndex={0}>{t("clock.why")}</a>
      </Popover>
      <ClockActions clock={clock} view={view} onChanged={onChanged} />
    </div>
  );
}
