import { useMutation } from "@tanstack/react-query";
import { Alert, App, Button, Card, Flex, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, type CaseView, type Shapes, take } from "../../api/client";
import { day } from "../../app/dates";
import { AnswerForm } from "./AnswerForm";
import { DecideForm } from "./DecideForm";
import { JointAnswers } from "./JointAnswers";
import { TaskActions } from "./TaskActions";
import { TaskForm } from "./TaskForm";

interface Props {
  task: Shapes["CaseTask"];
  view: CaseView;
  onChanged: (next?: CaseView) => void;
}

/** One task: whose it is and why, what was asked, and for the one who has it what to do. */
export function TaskCard({ task, view, onChanged }: Props) {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const claim = useMutation({
    mutationFn: () =>
      take(api.POST("/api/v1/tasks/{task_id}/claim", { params: { path: { task_id: task.id } } })),
    onSuccess: () => onChanged(),
    onError: (error) => {
      void message.warning(error.message);
      onChanged();
    },
  });
  const done = (next: CaseView) => {
    void message.success(t("task.done"));
    onChanged(next);
  };
  return (
    <Card title={task.name} style={{ marginBottom: 24 }}>
      <Flex justify="space-between" wrap gap="small" style={{ marginBottom: 12 }}>
        <span>
          {task.audience === "applicant" ? t("waiting.applicant") : task.department_name}
          {task.assignee_name ? ` · ${t("task.with", { name: task.assignee_name })}` : ""}
          {task.due_at ? ` · ${t("task.due", { date: day(task.due_at, i18n.language) })}` : ""}
          {task.dispatch_reason && <div style={{ color: "#545e6b" }}>{task.dispatch_reason}</div>}
        </span>
        {task.may_claim && (
          <Button type="primary" loading={claim.isPending} onClick={() => claim.mutate()}>
            {t("claim")}
          </Button>
        )}
      </Flex>
      {task.for_name && <Tag variant="solid" color="#0b4f9e" style={{ marginBottom: 12 }}>{t("task.for", { name: task.for_name })}</Tag>}
      {task.state === "held" && <Alert type="info" showIcon title={t(view.main ? "task.held_merged" : "task.held_returned")} />}
      {task.question && <Alert type="info" title={task.question} style={{ marginBottom: 12 }} />}
      <JointAnswers answers={task.joint} />
      <TaskActions task={task} view={view} onChanged={onChanged} />
      {task.mine && <Work task={task} view={view} onDone={done} />}
    </Card>
  );
}

function Work({ task, view, onDone }: { task: Shapes["CaseTask"]; view: CaseView; onDone: (next: CaseView) => void }) {
  if (task.asked) return <AnswerForm taskId={task.id} joint={false} onDone={onDone} />;
  if (task.part && task.kind === "joint") return <AnswerForm taskId={task.id} joint onDone={onDone} />;
  if (task.part) return <DecideForm task={task} revision={view.revision} onDone={onDone} />;
  return <TaskForm taskId={task.id} revision={view.revision} onDone={onDone} />;
}
