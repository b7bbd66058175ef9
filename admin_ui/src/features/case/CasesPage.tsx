import { useQuery } from "@tanstack/react-query";
import { Alert, Input, Table } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { api, type Shapes, take } from "../../api/client";
import { day } from "../../app/dates";

/** Find a case by number, name or telephone. */
export function CasesPage() {
  const { t, i18n } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const q = search.get("q") ?? "";
  const found = useQuery({
    queryKey: ["cases", q],
    queryFn: () => take(api.GET("/api/v1/cases", { params: { query: { q } } })),
  });
  return (
    <>
      <h1 style={{ fontSize: 22 }}>{t("menu.cases")}</h1>
      <Input.Search
        aria-label={t("cases.search")}
        placeholder={t("cases.search")}
        defaultValue={q}
        allowClear
        style={{ maxWidth: 480, marginBottom: 16 }}
        onSearch={(text) => setSearch(text ? { q: text } : {})}
      />
      {found.error && <Alert type="error" title={found.error.message} />}
      <Table<Shapes["CaseRow"]>
        rowKey="id"
        loading={found.isPending}
        dataSource={found.data?.items}
        pagination={{ pageSize: 20, hideOnSinglePage: true }}
        columns={[
          { title: t("column.reference"), key: "reference", render: (_, row) => <Link to={`/cases/${row.id}`}>{row.reference}</Link> },
          { title: t("column.service"), dataIndex: "service_name" },
          { title: t("column.applicant"), dataIndex: "applicant_name" },
          { title: t("column.stage"), key: "stage", render: (_, row) => `${row.stage_name} · ${t(`state.${row.state}`)}` },
          { title: t("column.department"), dataIndex: "department_name" },
          { title: t("promised"), key: "promised", render: (_, row) => <strong>{day(row.promised_due_at, i18n.language)}</strong> },
          { title: t("legal"), key: "legal", render: (_, row) => day(row.legal_due_at, i18n.language) },
        ]}
      />
    </>
  );
}
