import { useMutation } from "@tanstack/react-query";
import { Alert, App, Button, Form, Input, Modal, Space } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type CaseView, type Shapes, take } from "../../api/client";
import { instantOf, wallTime } from "../../app/dates";
import { DatesTable } from "../calendars/DatesTable";

interface Values {
  received: string;
  reason: string;
}

interface Props {
  view: CaseView;
  onChanged: (next: CaseView) => void;
}

/** Correct when the case was received; which dates would move is shown before anything does. */
export function ReceiptForm({ view, onChanged }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button type="link" size="small" onClick={() => setOpen(true)}>{t("receipt.correct")}</Button>
      <Modal open={open} title={t("receipt.title")} footer={null} destroyOnHidden onCancel={() => setOpen(false)}>
        <Fields view={view} onChanged={(next) => { setOpen(false); onChanged(next); }} />
      </Modal>
    </>
  );
}

function Fields({ view, onChanged }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const [moves, setMoves] = useState<Shapes["MoveView"][]>();
  const path = { params: { path: { case_id: view.id } } };
  const send = useMutation({
    mutationFn: async ({ trial, values }: { trial: boolean; values: Values }) => {
      const body = { received_at: instantOf(values.received), reason: values.reason, trial };
      const made = await take(api.POST("/api/v1/cases/{case_id}/receipt", { ...path, body }));
      if (trial) setMoves(made.items);
      else onChanged(await take(api.GET("/api/v1/cases/{case_id}", path)));
    },
    onError: (error) => message.warning(error.message),
  });

  async function submit(trial: boolean) {
    send.mutate({ trial, values: await form.validateFields() });
  }

  return (
    <Form<Values> form={form} layout="vertical" initialValues={{ received: wallTime(view.received_at) }} onValuesChange={() => setMoves(undefined)}>
      <Form.Item name="received" label={t("receipt.received")} rules={[{ required: true, message: t("receipt.missing") }]}>
        <Input type="datetime-local" style={{ width: 240 }} />
      </Form.Item>
      <Form.Item name="reason" label={t("clock.reason")} rules={[{ required: true, whitespace: true, message: t("clock.reason_missing") }]}>
        <Input.TextArea rows={2} maxLength={500} />
      </Form.Item>
      {moves?.length === 0 && <Alert type="success" title={t("recounts.none")} style={{ marginBottom: 16 }} />}
      {moves && moves.length > 0 && <DatesTable outlook={{ cases: 1, items: moves, more: false }} />}
      <Space>
        <Button loading={send.isPending} onClick={() => void submit(true)}>{t("recounts.preview")}</Button>
        <Button type="primary" disabled={moves === undefined} loading={send.isPending} onClick={() => void submit(false)}>{t("receipt.save")}</Button>
      </Space>
    </Form>
  );
}
