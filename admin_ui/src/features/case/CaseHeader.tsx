import { Card, Flex, Popover, Tag } from "antd";
import { useTranslation } from "react-i18next";

import type { CaseView, Shapes } from "../../api/client";
import { day, moment } from "../../app/dates";
import { TimeLeft } from "../../app/TimeLeft";

function Clock({ clock, main }: { clock: Shapes["ClockView"]; main: boolean }) {
  const { t, i18n } = useTranslation();
  const why = (
    <ul style={{ maxWidth: 420, margin: 0, paddingLeft: 16 }}>
      {clock.lines.map((line, index) => (
        <li key={index}>
          {day(line.at, i18n.language)} · {line.text}
          {line.new_due ? ` → ${day(line.new_due, i18n.language)}` : ""}
        </li>
      ))}
    </ul>
  );
  return (
    <div>
      <div style={{ color: "#545e6b" }}>{clock.name}</div>
      <div style={{ fontSize: main ? 24 : 16, fontWeight: main ? 700 : 400 }}>
        {day(clock.due_at, i18n.language)}
      </div>
      {clock.state === "running" && <TimeLeft remaining={clock.remaining_working_days} />}
      {clock.state === "paused" && <Tag variant="solid" color="#545e6b">{t("clock.paused")}</Tag>}
      {clock.provisional && <Tag>{t("clock.provisional")}</Tag>}
      <Popover content={why} title={t("clock.why")} trigger={["hover", "click"]}>
        <a role="button" tabIndex={0}>{t("clock.why")}</a>
      </Popover>
    </div>
  );
}

/** Whose case, the two dates and why, and how it stands. */
export function CaseHeader({ view }: { view: CaseView }) {
  const { t, i18n } = useTranslation();
  const clocks = [...view.clocks].sort((a) => (a.key === "promised" ? -1 : 1));
  return (
    <Card>
      <Flex wrap justify="space-between" gap="large">
        <div>
          <h1 style={{ fontSize: 22, margin: 0 }}>{view.service_name}</h1>
          <p style={{ margin: "4px 0" }}>
            <strong>{view.reference}</strong> · {moment(view.received_at, i18n.language)}
          </p>
          <p style={{ margin: 0 }}>
            {view.applicant_name} {Object.values(view.applicant_contact).join(" · ")}
          </p>
          <p style={{ margin: "8px 0 0" }}>
            <Tag variant="solid" color={view.state === "open" ? "#0b4f9e" : "#545e6b"}>{t(`state.${view.state}`)}</Tag>
            {view.state === "open" && <Tag>{t(`waiting.${view.waiting_for}`)}</Tag>}
            {view.outcome_name && <Tag variant="solid" color="#1a6b3c">{view.outcome_name}</Tag>}
            {view.rating && <Tag>{t("case.rating", { grade: view.rating })}</Tag>}
          </p>
        </div>
        <Flex gap="large" wrap>
          {clocks.map((clock) => (
            <Clock key={clock.key} clock={clock} main={clock.key === "promised"} />
          ))}
        </Flex>
      </Flex>
    </Card>
  );
}
