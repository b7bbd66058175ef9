import { Form, Input, Modal, Radio, Select } from "antd";
import { useTranslation } from "react-i18next";

import type { Shapes } from "../../api/client";
import { useColleagues } from "../../app/colleagues";
import { useDepartments } from "../../app/departments";

export type Asked = "return" | "delegate" | "joint" | "release" | "reassign";

interface Props {
  what: Asked;
  reasons: Shapes["ReasonView"][];
  busy: boolean;
  onCancel: () => void;
  onSend: (values: Record<string, string & string[]>) => void;
}

/** What an action needs to know: to whom, and why. */
export function AskModal({ what, reasons, busy, onCancel, onSend }: Props) {
  const { t } = useTranslation();
  const [form] = Form.useForm<Record<string, string & string[]>>();
  return (
    <Modal
      open
      title={t(`act.${what}`)}
      okText={t(`act.${what}`)}
      confirmLoading={busy}
      onCancel={onCancel}
      onOk={() => form.submit()}
    >
      <p style={{ color: "#545e6b" }}>{t(`act.${what}.hint`)}</p>
      <Form form={form} layout="vertical" initialValues={{ order: "parallel" }} onFinish={onSend}>
        {what === "return" && <ReturnFields reasons={reasons} />}
        {(what === "delegate" || what === "reassign") && <PersonField needed={what === "delegate"} />}
        {what === "joint" && <DepartmentFields />}
        {(what === "delegate" || what === "joint") && <TextField name="question" label={t("act.question")} />}
        {(what === "release" || what === "reassign") && <TextField name="reason" label={t("act.reason")} />}
      </Form>
    </Modal>
  );
}

function ReturnFields({ reasons }: { reasons: Shapes["ReasonView"][] }) {
  const { t } = useTranslation();
  const chosen = Form.useWatch("reason") as string | undefined;
  const needed = reasons.find((each) => each.code === chosen)?.needs_basis ?? true;
  return (
    <>
      <Form.Item name="reason" label={t("return.reason")} rules={[{ required: true, message: t("reason_missing") }]}>
        <Radio.Group vertical options={reasons.map((each) => ({ value: each.code, label: each.title }))} />
      </Form.Item>
      <Form.Item name="basis" label={t("return.basis")} rules={[{ required: needed, message: t("return.basis_missing") }]}>
        <Input.TextArea rows={3} maxLength={2000} />
      </Form.Item>
    </>
  );
}

function PersonField({ needed }: { needed: boolean }) {
  const { t } = useTranslation();
  const colleagues = useColleagues();
  return (
    <Form.Item name="person" label={t("act.person")} rules={[{ required: needed, message: t("act.person_missing") }]}>
      <Select allowClear={!needed} placeholder={needed ? "" : t("act.queue")} showSearch={{ optionFilterProp: "label" }} options={colleagues} />
    </Form.Item>
  );
}

function DepartmentFields() {
  const { t } = useTranslation();
  const departments = useDepartments();
  return (
    <>
      <Form.Item name="departments" label={t("joint.departments")} rules={[{ required: true, message: t("decide.department_missing") }]}>
        <Select mode="multiple" optionFilterProp="label" options={departments} />
      </Form.Item>
      <Form.Item name="order" label={t("joint.order")}>
        <Radio.Group options={(["parallel", "sequence"] as const).map((value) => ({ value, label: t(`joint.${value}`) }))} />
      </Form.Item>
    </>
  );
}

function TextField({ name, label }: { name: string; label: string }) {
  const { t } = useTranslation();
  return (
    <Form.Item name={name} label={label} rules={[{ required: true, whitespace: true, message: t("reason_missing") }]}>
      <Input.TextArea rows={3} maxLength={500} />
    </Form.Item>
  );
}
