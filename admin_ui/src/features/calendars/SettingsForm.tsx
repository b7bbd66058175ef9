import { useQuery } from "@tanstack/react-query";
import { Alert, App, Button, Form, Input, Select, Space } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, Problem, type Shapes, take } from "../../api/client";
import type { Calendar } from "./days";

interface Values {
  name: string;
  zh: string;
  en: string;
  zone: string;
  extends?: string;
  day_zero?: string;
  pause_begins?: string;
  office_hours: { opens?: string; closes?: string }[];
  departments: string[];
  reason: string;
}

interface Props {
  /** The one to change; without it a new one is made. */
  calendar?: Calendar;
  others: Shapes["CalendarLine"][];
  save: (said: Shapes["NewCalendar"]) => Promise<unknown>;
}

const ZONES = Intl.supportedValuesOf("timeZone").map((value) => ({ value, label: value }));

/** All of a calendar but its days: names, zone, hours, rules, and whose office it is. */
export function SettingsForm({ calendar, others, save }: Props) {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const [wrong, setWrong] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const base = Form.useWatch("extends", form);
  const departments = useQuery({
    queryKey: ["departments", i18n.language],
    queryFn: () => take(api.GET("/api/v1/departments")),
  });
  const main = others.find((each) => each.main);
  const rules = (name: "day_zero" | "pause_begins", values: string[]) =>
    values.map((value) => ({ value, label: t(`calendars.${name}.${value}`) }));

  async function send(values: Values) {
    setBusy(true);
    setWrong([]);
    try {
      await save({
        name: values.name,
        title: { "zh-CN": values.zh ?? "", en: values.en ?? "" },
        zone: values.zone,
        extends: values.extends ?? null,
        day_zero: values.day_zero ?? null,
        pause_begins: values.pause_begins ?? null,
        office_hours: values.office_hours.map((each) => [each.opens ?? "", each.closes ?? ""]),
        departments: values.departments ?? [],
        reason: values.reason ?? "",
      });
      void message.success(t("calendars.saved"));
      form.setFieldValue("reason", "");
    } catch (error) {
      showErrors(error as Error);
    } finally {
      setBusy(false);
    }
  }

  function showErrors(error: Error) {
    const errors = error instanceof Problem ? (error.body.errors ?? []) : [];
    const known = errors.filter((each) => placeOf(each.field).length > 0);
    form.setFields(known.map((each) => ({ name: placeOf(each.field), errors: [each.message] })) as Parameters<typeof form.setFields>[0]);
    setWrong([error.message, ...errors.filter((each) => !known.includes(each)).map((each) => each.message)]);
  }

  return (
    <Form<Values>
      form={form}
      layout="vertical"
      style={{ maxWidth: 640 }}
      requiredMark={false}
      initialValues={{
        name: calendar?.name,
        zh: calendar?.title["zh-CN"],
        en: calendar?.title.en,
        zone: calendar?.zone ?? main?.zone,
        extends: calendar ? (calendar.extends ?? undefined) : main?.name,
        day_zero: calendar?.day_zero ?? undefined,
        pause_begins: calendar?.pause_begins ?? undefined,
        office_hours: (calendar?.office_hours ?? []).map(([opens, closes]) => ({ opens, closes })),
        departments: calendar?.departments ?? [],
      }}
      onFinish={(values) => void send(values)}
    >
      {!calendar && <Form.Item name="name" label={t("calendars.name")} extra={t("calendars.name_hint")}><Input /></Form.Item>}
      <Form.Item name="zh" label={t("calendars.title_zh")}><Input /></Form.Item>
      <Form.Item name="en" label={t("calendars.title_en")}><Input /></Form.Item>
      <Form.Item name="extends" label={t("calendars.extends")} extra={t("calendars.extends_hint")}>
        <Select allowClear options={others.filter((each) => each.name !== calendar?.name).map((each) => ({ value: each.name, label: each.title }))} />
      </Form.Item>
      <Form.Item name="zone" label={t("calendars.zone")}><Select showSearch options={ZONES} /></Form.Item>
      <Form.Item name="departments" label={t("calendars.departments")} extra={t("calendars.departments_hint")}>
        <Select mode="multiple" options={departments.data?.items.map((each) => ({ value: each.code, label: each.name }))} />
      </Form.Item>
      <Form.Item name="day_zero" label={t("calendars.setting.day_zero")}>
        <Select allowClear placeholder={base ? t("calendars.as_base") : undefined} options={rules("day_zero", ["day_of_receipt", "next_working_day"])} />
      </Form.Item>
      <Form.Item name="pause_begins" label={t("calendars.setting.pause_begins")}>
        <Select allowClear placeholder={base ? t("calendars.as_base") : undefined} options={rules("pause_begins", ["next_day", "same_day"])} />
      </Form.Item>
      <Form.List name="office_hours">
        {(rows, { add, remove }) => (
          <fieldset style={{ border: 0, padding: 0, margin: "0 0 16px" }}>
            <legend>{t("calendars.setting.office_hours")}</legend>
            {rows.map(({ key, name }) => (
              <Space key={key} align="start" style={{ display: "flex" }}>
                <Form.Item name={[name, "opens"]}><Input type="time" aria-label={t("calendars.opens")} /></Form.Item>
                <Form.Item name={[name, "closes"]}><Input type="time" aria-label={t("calendars.closes")} /></Form.Item>
                <Button onClick={() => remove(name)}>{t("calendars.remove")}</Button>
              </Space>
            ))}
            <Button onClick={() => add({})}>{t("calendars.add_hours")}</Button>
          </fieldset>
        )}
      </Form.List>
      <Form.Item name="reason" label={t("calendars.reason")}><Input.TextArea rows={2} maxLength={500} /></Form.Item>
      {wrong.length > 0 && <Alert type="error" role="alert" style={{ marginBottom: 16 }} title={wrong.map((each) => <div key={each}>{each}</div>)} />}
      <Button type="primary" htmlType="submit" loading={busy}>{t(calendar ? "calendars.save" : "calendars.add")}</Button>
    </Form>
  );
}

/** The form's field for the server's; empty if there is none. */
function placeOf(field: string): (string | number)[] {
  const [name, part] = field.split(".");
  if (name === "title") return [part === "en" ? "en" : "zh"];
  if (name === "office_hours" && part) return [name, Number(part), "opens"];
  return ["name", "zone", "extends", "day_zero", "pause_begins", "departments", "reason"].includes(name ?? "") ? [name ?? ""] : [];
}
