import { useMutation } from "@tanstack/react-query";
import { Alert, App, Button, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, type Shapes, take } from "../../api/client";

type Row = Shapes["WouldMoveRow"];

/** Which open tasks the rules would have elsewhere; once they are published, moving them there. */
export function MovesTable({ rows, onMoved }: { rows: Row[]; onMoved: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [chosen, setChosen] = useState<string[]>([]);
  const move = useMutation({
    mutationFn: () => take(api.POST("/api/v1/dispatch/apply", { body: { task_ids: chosen, reason: "" } })),
    onSuccess: (made) => {
      const done = made.items.filter((row) => row.done).length;
      void message.info(t("moves.done", { count: done, all: made.items.length }));
      onMoved();
    },
    onError: (error) => message.warning(error.message),
  });
  if (rows.length === 0) return <Alert type="success" title={t("moves.none")} style={{ marginTop: 12 }} />;
  return (
    <div style={{ marginTop: 12 }}>
      <p>{t("moves.hint")}</p>
      <Table<Row>
        rowKey="task_id"
        size="small"
        dataSource={rows}
        pagination={{ pageSize: 10, hideOnSinglePage: true }}
        rowSelection={{ selectedRowKeys: chosen, onChange: (keys) => setChosen(keys.map(String)), getCheckboxProps: (row) => ({ disabled: row.to_name === null }) }}
        columns={[
          { title: t("column.task"), key: "task", render: (_, row) => <><Link to={`/cases/${row.case_id}`}>{row.reference}</Link><div style={{ color: "#545e6b" }}>{row.name}</div></> },
          { title: t("moves.from"), dataIndex: "from_name" },
          { title: t("moves.to"), key: "to", render: (_, row) => row.to_name ?? "–" },
          { title: t("moves.why"), dataIndex: "why" },
        ]}
      />
      <Button style={{ marginTop: 12 }} disabled={chosen.length === 0} loading={move.isPending} onClick={() => move.mutate()}>
        {t("moves.move")}
      </Button>
    </div>
  );
}
