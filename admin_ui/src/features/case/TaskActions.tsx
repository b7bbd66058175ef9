import { useMutation } from "@tanstack/react-query";
import { App, Button, Flex } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type CaseView, type Shapes, take } from "../../api/client";
import { type Asked, AskModal } from "./AskModal";

interface Props {
  task: Shapes["CaseTask"];
  view: CaseView;
  onChanged: (next?: CaseView) => void;
}

/** What else can be done with a task than finishing it. Each asks what it needs first. */
export function TaskActions({ task, view, onChanged }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [open, setOpen] = useState<Asked>();
  const path = { task_id: task.id };
  const act = useMutation({
    mutationFn: async ({ what, values }: { what: Asked | "take_back"; values: Record<string, string & string[]> }) => {
      const headers = { params: { path, header: { "if-match": view.revision } } };
      if (what === "return") {
        return take(api.POST("/api/v1/tasks/{task_id}/return", { ...headers, body: { reason: values.reason, basis: values.basis ?? "" } }));
      }
      if (what === "delegate") {
        return take(api.POST("/api/v1/tasks/{task_id}/delegate", { params: { path }, body: { to_id: values.person, question: values.question } }));
      }
      if (what === "joint") {
        const order = values.order as unknown as "parallel" | "sequence";
        return take(api.POST("/api/v1/tasks/{task_id}/joint", { params: { path }, body: { departments: values.departments, question: values.question, order } }));
      }
      if (what === "take_back") return take(api.POST("/api/v1/tasks/{task_id}/take-back", { params: { path } }));
      if (what === "release") {
        await take(api.POST("/api/v1/tasks/{task_id}/unclaim", { params: { path }, body: { reason: values.reason } }));
        return undefined;
      }
      const body = { task_ids: [task.id], assignee_id: values.person ?? null, reason: values.reason ?? "", preview: false };
      const made = await take(api.POST("/api/v1/tasks/reassign", { body }));
      const [row] = made.items;
      if (row.problem) throw new Error(row.problem);
      return undefined;
    },
    onSuccess: (next) => {
      setOpen(undefined);
      onChanged(next);
    },
    onError: (error) => message.warning(error.message),
  });
  const shown: [Asked, boolean][] = [
    ["return", task.may_return],
    ["delegate", task.mine && !task.asked],
    ["joint", task.mine && !task.asked && !task.part],
    ["release", task.mine && !task.asked],
    ["reassign", task.may_reassign],
  ];
  const actions = shown.filter(([, may]) => may).map(([what]) => what);
  if (actions.length === 0 && !task.may_take_back) return null;
  return (
    <Flex wrap gap="small" style={{ marginBottom: 16 }}>
      {actions.map((what) => (
        <Button key={what} size="small" onClick={() => setOpen(what)}>{t(`act.${what}`)}</Button>
      ))}
      {task.may_take_back && (
        <Button size="small" loading={act.isPending} onClick={() => act.mutate({ what: "take_back", values: {} })}>{t("act.take_back")}</Button>
      )}
      {open && (
        <AskModal
          what={open}
          reasons={view.return_reasons}
          busy={act.isPending}
          onCancel={() => setOpen(undefined)}
          onSend={(values) => act.mutate({ what: open, values })}
        />
      )}
    </Flex>
  );
}
