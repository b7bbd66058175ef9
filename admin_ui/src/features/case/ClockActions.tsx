import { useMutation } from "@tanstack/react-query";
import { App, Button, Checkbox, Flex, Form, Input, Modal, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type CaseView, type Shapes, take } from "../../api/client";

type ClockView = Shapes["ClockView"];
type Verb = "start" | "reset" | "pause" | "resume" | "extend" | "stop";

interface Asked {
  reason: string;
  basis?: string;
  pause?: string;
  limit?: string;
  also?: string[];
}

interface Props {
  clock: ClockView;
  view: CaseView;
  onChanged: (next: CaseView) => void;
}

/** The verbs I may use on a clock; each asks for its reason first. */
export function ClockActions({ clock, view, onChanged }: Props) {
  const { t } = useTranslation();
  const [verb, setVerb] = useState<Verb>();
  if (clock.buttons.length === 0) return null;
  return (
    <Flex gap={4} wrap style={{ marginTop: 4 }}>
      {clock.buttons.map((each) => (
        <Button key={each} size="small" onClick={() => setVerb(each as Verb)}>
          {t(`clock.verb.${each}`)}
        </Button>
      ))}
      {verb && (
        <VerbForm
          verb={verb}
          clock={clock}
          view={view}
          onClose={() => setVerb(undefined)}
          onChanged={onChanged}
        />
      )}
    </Flex>
  );
}

function VerbForm({ verb, clock, view, onClose, onChanged }: Props & { verb: Verb; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<Asked>();
  const others = view.clocks.filter((each) => each.key !== clock.key && each.buttons.includes(verb));
  const change = useMutation({
    mutationFn: (asked: Asked) =>
      take(
        api.POST("/api/v1/cases/{case_id}/clocks/{key}/{verb}", {
          params: { path: { case_id: view.id, key: clock.key, verb } },
          body: {
            reason: asked.reason,
            basis: asked.basis ?? "",
            pause: asked.pause ?? "",
            limit: asked.limit ?? null,
            also: asked.also ?? [],
            revision: view.revision,
          },
        }),
      ),
    onSuccess: (next) => {
      onClose();
      onChanged(next);
    },
    onError: (error) => message.warning(error.message),
  });
  const open = Object.keys(clock.pauses).filter((name) => !clock.open_pauses.includes(name));
  const pauses = (verb === "resume" ? clock.open_pauses : open).map((value) => ({
    value,
    label: clock.pauses[value] ?? (value || t("clock.pause")),
  }));
  return (
    <Modal
      open
      title={`${clock.name}: ${t(`clock.verb.${verb}`)}`}
      okText={t(`clock.verb.${verb}`)}
      confirmLoading={change.isPending}
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={{ pause: pauses[0]?.value, also: others.map((each) => each.key) }}
        onFinish={(asked) => change.mutate(asked)}
      >
        {(verb === "pause" || verb === "resume") && pauses.length > 0 && (
          <Form.Item name="pause" label={t("clock.for")}>
            <Select options={pauses} />
          </Form.Item>
        )}
        {verb === "extend" && clock.extensions.length > 1 && (
          <Form.Item name="limit" label={t("clock.by")}>
            <Select options={clock.extensions.map((value) => ({ value, label: value }))} />
          </Form.Item>
        )}
        <Form.Item
          name="reason"
          label={t("clock.reason")}
          rules={[{ required: true, whitespace: true, message: t("clock.reason_missing") }]}
        >
          <Input.TextArea rows={3} maxLength={500} />
        </Form.Item>
        <Form.Item name="basis" label={t("clock.basis")}>
          <Input maxLength={300} />
        </Form.Item>
        {others.length > 0 && (
          <Form.Item name="also" label={t("clock.also")}>
            <Checkbox.Group
              options={others.map((each) => ({ value: each.key, label: each.name }))}
            />
          </Form.Item>
        )}
      </Form>
    </Modal>
  );
}
