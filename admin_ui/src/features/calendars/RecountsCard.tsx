import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Progress, Table } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Shapes, take } from "../../api/client";
import { moment } from "../../app/dates";

type Row = Shapes["RecountView"];
const KEY = ["recounts"];
/** Milliseconds after which a running recount is asked again how far it is. */
const ASK_AGAIN = 2_000;

/** The newest recounts: how far each is, and stopping it or letting it go on. */
export function RecountsCard() {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const list = useQuery({
    queryKey: [...KEY, i18n.language],
    queryFn: () => take(api.GET("/api/v1/recounts")),
    refetchInterval: (query) => (query.state.data?.items.some((row) => row.state === "running") ? ASK_AGAIN : false),
  });
  const turn = useMutation({
    mutationFn: (row: Row) => {
      const path = { params: { path: { recount_id: row.id } } };
      return row.state === "running"
        ? take(api.POST("/api/v1/recounts/{recount_id}/stop", path))
        : take(api.POST("/api/v1/recounts/{recount_id}/resume", path));
    },
    onError: (error) => message.warning(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const rows = list.data?.items ?? [];
  if (rows.length === 0) return null;
  return (
    <Card style={{ marginTop: 24 }} title={t("recounts.title")}>
      <Table<Row>
        rowKey="id"
        size="small"
        dataSource={rows}
        pagination={{ pageSize: 5, hideOnSinglePage: true }}
        columns={[
          { title: t("recounts.started"), key: "started", render: (_, row) => moment(row.started_at, i18n.language) },
          { title: t("recounts.by"), dataIndex: "started_by" },
          { title: t("recounts.why"), dataIndex: "reason" },
          { title: t("recounts.progress"), key: "progress", width: 220, render: (_, row) => <Progress percent={percentOf(row)} size="small" status={row.state === "stopped" ? "exception" : undefined} aria-label={t("recounts.progress")} /> },
          { title: t("recounts.moved"), key: "moved", render: (_, row) => t("recounts.counts", { moved: row.moved, seen: row.seen, failed: row.failed }) },
          { title: t("recounts.state"), key: "state", render: (_, row) => t(`recounts.${row.state}`) },
          { key: "turn", render: (_, row) => row.state !== "done" && <Button size="small" loading={turn.isPending} onClick={() => turn.mutate(row)}>{t(row.state === "running" ? "recounts.stop" : "recounts.resume")}</Button> },
        ]}
      />
    </Card>
  );
}

/** Cases that were filed or closed since the beginning must not make it more or less than all. */
export function percentOf(row: Pick<Row, "state" | "seen" | "total">): number {
  if (row.state === "done") return 100;
  return row.total === 0 ? 0 : Math.min(99, Math.floor((row.seen / row.total) * 100));
}
