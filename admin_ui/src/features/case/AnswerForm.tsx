import { useMutation } from "@tanstack/react-query";
import { App, Button, Form, Input, Radio } from "antd";
import { useTranslation } from "react-i18next";

import { api, type CaseView, type Shapes, take } from "../../api/client";

interface Props {
  taskId: string;
  /** Whether a co-handler answers, whose position counts; else a colleague who was asked. */
  joint: boolean;
  onDone: (next: CaseView) => void;
}

/** The answer to what one was asked. */
export function AnswerForm({ taskId, joint, onDone }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const send = useMutation({
    mutationFn: (body: Shapes["TaskAnswer"]) =>
      take(api.POST("/api/v1/tasks/{task_id}/answer", { params: { path: { task_id: taskId } }, body })),
    onSuccess: onDone,
    onError: (error) => message.warning(error.message),
  });
  return (
    <Form<Shapes["TaskAnswer"]> layout="vertical" initialValues={{ position: "answer", text: "" }} onFinish={(body) => send.mutate(body)}>
      {joint && (
        <Form.Item name="position" label={t("answer.position")}>
          <Radio.Group options={(["agree", "disagree", "answer"] as const).map((value) => ({ value, label: t(`position.${value}`) }))} />
        </Form.Item>
      )}
      <Form.Item name="text" label={t("answer.text")} rules={[{ required: !joint, message: t("answer.missing") }]}>
        <Input.TextArea rows={4} maxLength={4000} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={send.isPending}>{t("answer.send")}</Button>
    </Form>
  );
}
