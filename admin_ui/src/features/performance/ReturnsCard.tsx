import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Table } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, type Shapes, take } from "../../api/client";
import { moment } from "../../app/dates";

type Row = Shapes["ReturnView"];

/** Every task a department has returned: who, when, why, what it cost, and what became of it. */
export function ReturnsCard() {
  const { t, i18n } = useTranslation();
  const found = useQuery({
    queryKey: ["returns", i18n.language],
    queryFn: () => take(api.GET("/api/v1/returns")),
  });
  return (
    <Card title={t("returns.title")}>
      {found.error && <Alert type="error" title={found.error.message} />}
      <Table<Row>
        rowKey={(row) => `${row.case_id}${row.returned_at}`}
        size="small"
        loading={found.isPending}
        dataSource={found.data?.items}
        pagination={{ pageSize: 10, hideOnSinglePage: true }}
        locale={{ emptyText: t("returns.none") }}
        scroll={{ x: 900 }}
        columns={[
          { title: t("column.reference"), key: "reference", render: (_, row) => <><Link to={`/cases/${row.case_id}`}>{row.reference}</Link><div style={{ color: "#545e6b" }}>{row.task_name}</div></> },
          { title: t("returns.who"), key: "who", render: (_, row) => <>{row.department_name}<div style={{ color: "#545e6b" }}>{row.by}</div></> },
          { title: t("returns.when"), key: "when", render: (_, row) => <>{moment(row.returned_at, i18n.language)}<div style={{ color: "#545e6b" }}>{t("returns.number", { number: row.number })}</div></> },
          { title: t("returns.why"), key: "why", render: (_, row) => <>{row.reason_name}<div style={{ color: "#545e6b", whiteSpace: "pre-line" }}>{row.basis}</div></> },
          { title: t("returns.cost"), key: "cost", render: (_, row) => <>{t("returns.hours", { hours: row.hours })}<div style={{ color: "#545e6b" }}>{t("returns.undecided", { hours: row.undecided_hours })}</div></> },
          { title: t("returns.outcome"), key: "outcome", render: (_, row) => <>{t(`returns.${row.outcome}`)} {row.to_name}<div style={{ color: "#545e6b" }}>{[row.decided_by, row.decision].filter(Boolean).join(": ")}</div></> },
        ]}
      />
    </Card>
  );
}
