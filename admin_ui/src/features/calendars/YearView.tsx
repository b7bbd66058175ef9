import { Alert, Col, Row } from "antd";
import { useTranslation } from "react-i18next";

import { type Calendar, isoDay, type SpecialDay, weeksOf, workingDays } from "./days";

const MONTHS = Array.from({ length: 12 }, (_, at) => at + 1);
const OFF = "#fbe3e1";
const WORKED = "#e3f1e8";
const GREY = "#6b7280";

/** Twelve months with the days off and the make-up days, in words as well as in colour. */
export function YearView({ calendar, year }: { calendar: Calendar; year: number }) {
  const { t } = useTranslation();
  const special = new Map(calendar.days.map((day) => [day.day, day]));
  return (
    <>
      {!calendar.announced.includes(year) && (
        <Alert type="warning" showIcon title={t("calendars.provisional", { year })} style={{ marginBottom: 16 }} />
      )}
      <p style={{ color: GREY }}>
        {t("calendars.working_days", { count: workingDays(calendar, year) })}
        {" · "}
        <Mark colour={OFF} text={t("calendars.off")} /> {t("calendars.holiday")}
        {" · "}
        <Mark colour={WORKED} text={t("calendars.on")} /> {t("calendars.make_up_day")}
        {calendar.extends && <> · <Mark colour="#fff" text="15" own /> {t("calendars.own_day")}</>}
      </p>
      <Row gutter={[24, 16]}>
        {MONTHS.map((month) => (
          <Col key={month} xs={24} sm={12} lg={8} xl={6}>
            <Month year={year} month={month} special={special} marked={calendar.extends !== null} />
          </Col>
        ))}
      </Row>
    </>
  );
}

function Mark({ colour, text, own }: { colour: string; text: string; own?: boolean }) {
  const border = own ? "2px solid #0b4f9e" : "1px solid #d5dce4";
  return <span style={{ background: colour, border, borderRadius: 4, padding: "0 6px" }}>{text}</span>;
}

interface MonthProps {
  year: number;
  month: number;
  special: Map<string, SpecialDay>;
  /** Whether the calendar's own days are set off from those of its base. */
  marked: boolean;
}

function Month({ year, month, special, marked }: MonthProps) {
  const { t, i18n } = useTranslation();
  const name = new Intl.DateTimeFormat(i18n.language, { month: "long", timeZone: "UTC" });
  const weekday = new Intl.DateTimeFormat(i18n.language, { weekday: "narrow", timeZone: "UTC" });
  // 5 January 2026 is a Monday.
  const heads = Array.from({ length: 7 }, (_, at) => weekday.format(Date.UTC(2026, 0, 5 + at)));
  return (
    <table style={{ width: "100%", borderCollapse: "separate", borderSpacing: 2, tableLayout: "fixed" }}>
      <caption style={{ captionSide: "top", textAlign: "left", fontWeight: 600 }}>
        {name.format(Date.UTC(year, month - 1, 1))}
      </caption>
      <thead>
        <tr>{heads.map((head, at) => <th key={at} scope="col" style={{ color: GREY, fontWeight: 400 }}>{head}</th>)}</tr>
      </thead>
      <tbody>
        {weeksOf(year, month).map((week, row) => (
          <tr key={row}>
            {week.map((day, at) => {
              const said = day === null ? undefined : special.get(isoDay(year, month, day));
              const word = said && t(said.holiday ? "calendars.off" : "calendars.on");
              return (
                <td
                  key={at}
                  title={said ? said.name || word : undefined}
                  style={{
                    textAlign: "center",
                    height: 40,
                    verticalAlign: "top",
                    borderRadius: 4,
                    background: said ? (said.holiday ? OFF : WORKED) : undefined,
                    border: said?.own && marked ? "2px solid #0b4f9e" : "2px solid transparent",
                    color: at > 4 && (!said || said.holiday) ? GREY : undefined,
                  }}
                >
                  {day}
                  {word && <div style={{ fontSize: 11, lineHeight: 1 }}>{word}</div>}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
