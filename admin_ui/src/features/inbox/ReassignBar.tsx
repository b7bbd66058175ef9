import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Flex, Input, Modal, Select, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Shapes, take } from "../../api/client";
import { useColleagues } from "../../app/colleagues";

/** Give the chosen tasks to somebody: first what would become of each, then what has. */
export function ReassignBar({ chosen, onDone }: { chosen: string[]; onDone: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const colleagues = useColleagues(chosen.length > 0);
  const [person, setPerson] = useState<string>();
  const [reason, setReason] = useState("");
  const [rows, setRows] = useState<Shapes["ReassignedRow"][]>();
  const [carriedOut, setCarriedOut] = useState(false);
  const send = useMutation({
    mutationFn: (preview: boolean) =>
      take(api.POST("/api/v1/tasks/reassign", { body: { task_ids: chosen, assignee_id: person ?? null, reason, preview } })),
    onSuccess: (made, preview) => {
      setRows(made.items);
      setCarriedOut(!preview);
      if (!preview) void queries.invalidateQueries({ queryKey: ["tasks"] });
    },
    onError: (error) => message.warning(error.message),
  });
  function close() {
    setRows(undefined);
    if (carriedOut) onDone();
  }
  if (chosen.length === 0 && !rows) return null;
  return (
    <Flex gap="small" wrap style={{ marginBottom: 12 }}>
      <span style={{ alignSelf: "center" }}>{t("reassign.chosen", { count: chosen.length })}</span>
      <Select allowClear aria-label={t("act.person")} placeholder={t("act.queue")} style={{ minWidth: 220 }} value={person} options={colleagues} onChange={setPerson} />
      <Input aria-label={t("act.reason")} placeholder={t("act.reason")} value={reason} onChange={(event) => setReason(event.target.value)} style={{ maxWidth: 240 }} />
      <Button loading={send.isPending} onClick={() => send.mutate(true)}>{t("act.reassign")}</Button>
      <Modal
        open={rows !== undefined}
        title={t(carriedOut ? "reassign.done" : "reassign.preview")}
        okText={t(carriedOut ? "close" : "act.reassign")}
        cancelButtonProps={{ style: carriedOut ? { display: "none" } : undefined }}
        confirmLoading={send.isPending}
        onOk={() => (carriedOut ? close() : send.mutate(false))}
        onCancel={close}
      >
        <Table<Shapes["ReassignedRow"]>
          rowKey="task_id"
          size="small"
          pagination={false}
          dataSource={rows}
          columns={[
            { title: t("column.reference"), key: "reference", render: (_, row) => row.reference ?? "–" },
            { title: t("column.assignee"), key: "to", render: (_, row) => row.problem ?? `${row.department_name ?? ""} ${row.assignee_name ?? t("act.queue")}` },
          ]}
        />
      </Modal>
    </Flex>
  );
}
