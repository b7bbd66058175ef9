import { Alert, Table } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Shapes } from "../../api/client";
import { day } from "../../app/dates";

type Row = Shapes["MoveView"];

/** Which dates of open cases an edit would move; what cannot be counted again is said. */
export function DatesTable({ outlook }: { outlook: Shapes["RecountPreview"] }) {
  const { t, i18n } = useTranslation();
  const told = t("recounts.outlook", { count: outlook.cases });
  if (outlook.items.length === 0) return <Alert type="success" title={`${t("recounts.none")} · ${told}`} style={{ marginBottom: 16 }} />;
  return (
    <Table<Row>
      rowKey={(row) => `${row.case_id} ${row.clock} ${row.element}`}
      size="small"
      dataSource={outlook.items}
      pagination={{ pageSize: 10, hideOnSinglePage: true }}
      title={() => told}
      footer={outlook.more ? () => t("recounts.more", { count: outlook.items.length }) : undefined}
      style={{ marginBottom: 16 }}
      columns={[
        { title: t("recounts.case"), key: "case", render: (_, row) => <Link to={`/cases/${row.case_id}`}>{row.reference}</Link> },
        { title: t("recounts.date"), dataIndex: "name" },
        { title: t("recounts.from"), key: "from", render: (_, row) => day(row.previous_due, i18n.language) },
        { title: t("recounts.to"), key: "to", render: (_, row) => (row.refused ? t("recounts.refused") : day(row.new_due, i18n.language)) },
      ]}
    />
  );
}
