import { Button, Space, type TableColumnsType, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { TaskRow } from "../../api/client";
import { day } from "../../app/dates";
import { TimeLeft } from "../../app/TimeLeft";

/** The inbox's columns: what is asked of me, for whom, and how much time is left. */
export function useColumns(
  view: string,
  claim: (row: TaskRow) => void,
  busy: boolean,
): TableColumnsType<TaskRow> {
  const { t, i18n } = useTranslation();
  const date = (value: string | null | undefined) => day(value, i18n.language);
  return [
    {
      title: t("column.task"),
      key: "task",
      render: (_, row) => (
        <>
          <Link to={`/cases/${row.case_id}`}>
            <strong>{row.name}</strong>
          </Link>
          <div>
            {row.priority === 1 && <Tag variant="solid" color="#b3261e">{t("priority.1")}</Tag>}
            {row.for_name && <Tag variant="solid" color="#0b4f9e">{t("task.for", { name: row.for_name })}</Tag>}
            {row.flags.map((flag) => (
              <Tag key={flag}>{t(`flag.${flag}`)}</Tag>
            ))}
          </div>
        </>
      ),
    },
    {
      title: t("column.service"),
      key: "service",
      render: (_, row) => (
        <>
          {row.service_name}
          <div style={{ color: "#545e6b" }}>{row.reference}</div>
        </>
      ),
    },
    { title: t("column.applicant"), dataIndex: "applicant_name" },
    {
      title: t("column.left"),
      key: "left",
      render: (_, row) => (
        <>
          <TimeLeft remaining={row.remaining_working_days} />
          <div style={{ color: "#545e6b" }}>{date(row.due_at)}</div>
        </>
      ),
    },
    {
      title: t("column.dates"),
      key: "dates",
      render: (_, row) => (
        <>
          <strong>{date(row.promised_due_at)}</strong>
          <div style={{ color: "#545e6b", fontSize: 13 }}>
            {t("legal")} {date(row.legal_due_at)}
          </div>
        </>
      ),
    },
    {
      title: t("column.assignee"),
      key: "assignee",
      render: (_, row) =>
        row.may_claim && view === "department" ? (
          <Button size="small" type="primary" disabled={busy} onClick={() => claim(row)}>
            {t("claim")}
          </Button>
        ) : (
          <Space>{row.assignee_name ?? (row.role === "manager" ? t("role.manager") : "–")}</Space>
        ),
    },
  ];
}
