import { useMutation } from "@tanstack/react-query";
import { Alert, App, Button, Form, Input, Radio, Select } from "antd";
import { useTranslation } from "react-i18next";

import { api, type CaseView, type Shapes, take } from "../../api/client";
import { useDepartments } from "../../app/departments";

interface Props {
  task: Shapes["CaseTask"];
  revision: number;
  onDone: (next: CaseView) => void;
}

/** Whose a returned task is: the lead department, and who answers it jointly. */
export function DecideForm({ task, revision, onDone }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const departments = useDepartments();
  const send = useMutation({
    mutationFn: (body: Shapes["Decision"]) =>
      take(
        api.POST("/api/v1/tasks/{task_id}/decide", {
          params: { path: { task_id: task.id }, header: { "if-match": revision } },
          body,
        }),
      ),
    onSuccess: onDone,
    onError: (error) => message.warning(error.message),
  });
  return (
    <Form<Shapes["Decision"]> layout="vertical" initialValues={{ co_handlers: [], order: "parallel" }} onFinish={(body) => send.mutate(body)}>
      {task.kind === "adjudicate" && <Alert type="warning" showIcon title={t("decide.final")} style={{ marginBottom: 12 }} />}
      <Form.Item name="department" label={t("decide.department")} rules={[{ required: true, message: t("decide.department_missing") }]}>
        <Select showSearch={{ optionFilterProp: "label" }} options={departments} />
      </Form.Item>
      <Form.Item name="reason" label={t("decide.reason")} rules={[{ required: true, message: t("reason_missing") }]}>
        <Input.TextArea rows={3} maxLength={2000} />
      </Form.Item>
      <Form.Item name="co_handlers" label={t("joint.departments")}>
        <Select mode="multiple" allowClear optionFilterProp="label" options={departments} />
      </Form.Item>
      <Form.Item name="order" label={t("joint.order")}>
        <Radio.Group options={(["parallel", "sequence"] as const).map((value) => ({ value, label: t(`joint.${value}`) }))} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={send.isPending}>{t("decide.send")}</Button>
    </Form>
  );
}
