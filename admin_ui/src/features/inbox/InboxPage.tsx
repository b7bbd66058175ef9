import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Flex, Select, Table, Tabs } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";

import { api, Problem, take } from "../../api/client";
import { useMe } from "../../app/session";
import { useColumns } from "./columns";
import { ReassignBar } from "./ReassignBar";

type View = "department" | "mine" | "waiting_applicant" | "done";
const VIEWS: View[] = ["department", "mine", "waiting_applicant", "done"];
const REFRESH = 10_000;

/** My department's work by due date; claiming a row opens its case. */
export function InboxPage() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [search, setSearch] = useSearchParams();
  const view = (search.get("view") ?? "department") as View;
  const service = search.get("service") ?? undefined;

  const page = useInfiniteQuery({
    queryKey: ["tasks", view, service],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      take(api.GET("/api/v1/tasks", { params: { query: { view, service, cursor: pageParam } } })),
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: REFRESH,
  });

  const claim = useMutation({
    mutationFn: (id: string) =>
      take(api.POST("/api/v1/tasks/{task_id}/claim", { params: { path: { task_id: id } } })),
    onSuccess: (row) => navigate(`/cases/${row.case_id}`),
    onError: (error) => {
      void message.warning(error.message);
      void queries.invalidateQueries({ queryKey: ["tasks"] });
    },
  });
  const takeNext = useMutation({
    mutationFn: () => take(api.POST("/api/v1/tasks/next")),
    onSuccess: (row) =>
      row ? navigate(`/cases/${row.case_id}`) : message.info(t("inbox.nothing_to_take")),
    onError: (error) => message.warning(error.message),
  });

  const rows = page.data?.pages.flatMap((each) => each.items) ?? [];
  const counts = page.data?.pages[0]?.counts ?? {};
  const services = [...new Map(rows.map((row) => [row.service, row.service_name]))];
  const [chosen, setChosen] = useState<string[]>([]);
  const me = useMe();
  const manages = me.data?.roles.includes("manager") === true && view === "department";
  const columns = useColumns(view, (row) => claim.mutate(row.id), claim.isPending);

  function choose(name: string, value: string | undefined) {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next);
  }

  return (
    <>
      <Flex justify="space-between" align="center" wrap gap="small">
        <h1 style={{ fontSize: 22, margin: 0 }}>{t("menu.inbox")}</h1>
        <Flex gap="small">
          <Select
            allowClear
            aria-label={t("inbox.service")}
            placeholder={t("inbox.service")}
            style={{ minWidth: 200 }}
            value={service}
            options={services.map(([value, label]) => ({ value, label }))}
            onChange={(value?: string) => choose("service", value)}
          />
          <Button type="primary" loading={takeNext.isPending} onClick={() => takeNext.mutate()}>
            {t("inbox.next")}
          </Button>
        </Flex>
      </Flex>
      <Tabs
        activeKey={view}
        onChange={(key) => choose("view", key)}
        items={VIEWS.map((key) => ({
          key,
          label: t(`inbox.${key}`) + (key in counts ? ` (${counts[key]})` : ""),
        }))}
      />
      {page.error instanceof Problem && <Alert type="error" title={page.error.message} />}
      {manages && <ReassignBar chosen={chosen} onDone={() => setChosen([])} />}
      <Table
        rowKey="id"
        rowSelection={manages ? { selectedRowKeys: chosen, onChange: (keys) => setChosen(keys.map(String)) } : undefined}
        size="middle"
        columns={columns}
        dataSource={rows}
        loading={page.isPending}
        pagination={false}
        locale={{ emptyText: t("inbox.empty") }}
        scroll={{ x: 900 }}
      />
      {page.hasNextPage && (
        <Button style={{ marginTop: 16 }} onClick={() => void page.fetchNextPage()}>
          {t("inbox.more")}
        </Button>
      )}
    </>
  );
}
