import { Table, Tag } from "antd";
import { useTranslation } from "react-i18next";

import type { Finding } from "../../api/client";

/** What is wrong in a package: where, and what to do. */
export function FindingTable({ findings }: { findings: Finding[] }) {
  const { t } = useTranslation();
  return (
    <Table<Finding>
      rowKey={(row) => `${row.file}-${row.element}-${row.line}-${row.code}`}
      size="small"
      pagination={false}
      dataSource={findings}
      columns={[
        {
          title: t("finding.severity"),
          key: "severity",
          render: (_, row) => (
            <Tag variant="solid" color={row.severity === "error" ? "#b3261e" : "#8a4b00"}>
              {t(`finding.${row.severity}`)}
            </Tag>
          ),
        },
        { title: t("finding.file"), dataIndex: "file" },
        {
          title: t("finding.element"),
          key: "element",
          render: (_, row) => [row.element, row.line && t("finding.line", { line: row.line })].filter(Boolean).join(" · "),
        },
        { title: t("finding.message"), dataIndex: "message" },
      ]}
    />
  );
}
