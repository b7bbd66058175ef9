import { useMutation } from "@tanstack/react-query";
import { Alert, App, Button, Card, Flex } from "antd";
import { useTranslation } from "react-i18next";

import { api, type CaseView, take } from "../../api/client";
import { day } from "../../app/dates";
import { TaskForm } from "./TaskForm";

interface Props {
  view: CaseView;
  onChanged: (next?: CaseView) => void;
}

/** What is to be done now, and by whom; my own task has its form in place. */
export function TaskPanel({ view, onChanged }: Props) {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const open = view.tasks.filter((task) => task.state === "open");
  const claim = useMutation({
    mutationFn: (id: string) =>
      take(api.POST("/api/v1/tasks/{task_id}/claim", { params: { path: { task_id: id } } })),
    onSuccess: () => onChanged(),
    onError: (error) => {
      void message.warning(error.message);
      onChanged();
    },
  });
  const giveBack = useMutation({
    mutationFn: (id: string) =>
      take(api.POST("/api/v1/tasks/{task_id}/unclaim", { params: { path: { task_id: id } } })),
    onSuccess: () => onChanged(),
    onError: (error) => message.warning(error.message),
  });

  if (open.length === 0) {
    return <Alert type="success" showIcon title={t("task.none")} style={{ marginBottom: 24 }} />;
  }
  return open.map((task) => (
    <Card key={task.id} title={task.name} style={{ marginBottom: 24 }}>
      <Flex justify="space-between" wrap gap="small" style={{ marginBottom: 12 }}>
        <span>
          {task.audience === "applicant" ? t("waiting.applicant") : task.department_name}
          {task.assignee_name ? ` · ${t("task.with", { name: task.assignee_name })}` : ""}
          {task.due_at ? ` · ${t("task.due", { date: day(task.due_at, i18n.language) })}` : ""}
        </span>
        {task.may_claim && (
          <Button type="primary" loading={claim.isPending} onClick={() => claim.mutate(task.id)}>
            {t("claim")}
          </Button>
        )}
        {task.mine && (
          <Button loading={giveBack.isPending} onClick={() => giveBack.mutate(task.id)}>
            {t("unclaim")}
          </Button>
        )}
      </Flex>
      {task.mine && (
        <TaskForm
          taskId={task.id}
          revision={view.revision}
          onDone={(next) => {
            void message.success(t("task.done"));
            onChanged(next);
          }}
        />
      )}
    </Card>
  ));
}
