import { Alert, App, Button, Form, Input, Space, Switch } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Problem, type Shapes } from "../../api/client";
import { DatesTable } from "./DatesTable";
import type { Calendar } from "./days";

interface Row {
  from?: string;
  to?: string;
  zh?: string;
  en?: string;
}

interface Values {
  announced?: boolean;
  holidays: Row[];
  make_up_days: { day?: string }[];
  reason: string;
}

interface Props {
  calendar: Calendar;
  year: number;
  save: (edit: Shapes["CalendarEdit"]) => Promise<unknown>;
  preview: (edit: Shapes["CalendarEdit"]) => Promise<Shapes["RecountPreview"]>;
}

/** The days of one year: for an office's calendar only those on top of its base. */
export function YearForm({ calendar, year, save, preview }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const [wrong, setWrong] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [outlook, setOutlook] = useState<Shapes["RecountPreview"]>();
  const said = calendar.years[String(year)];

  function asEdit(values: Values): Shapes["CalendarEdit"] {
    return {
      revision: calendar.revision,
      reason: values.reason ?? "",
      years: {
        [year]: {
          // A calendar of another calendar has no field for what it takes from it.
          announced: values.announced ?? said?.announced ?? true,
          source: said?.source ?? {},
          holidays: values.holidays.map(asHoliday),
          make_up_days: values.make_up_days.map((each) => each.day ?? ""),
        },
      },
    };
  }

  async function send(values: Values) {
    await attempt(async () => {
      await save(asEdit(values));
      void message.success(t("calendars.saved"));
      form.setFieldValue("reason", "");
    });
  }

  async function look() {
    await attempt(async () => setOutlook(await preview(asEdit(form.getFieldsValue()))));
  }

  async function attempt(what: () => Promise<void>) {
    setBusy(true);
    setWrong([]);
    setOutlook(undefined);
    try {
      await what();
    } catch (error) {
      showErrors(error as Error);
    } finally {
      setBusy(false);
    }
  }

  function showErrors(error: Error) {
    const errors = error instanceof Problem ? (error.body.errors ?? []) : [];
    const places = errors.map((each) => ({ name: placeOf(each.field, year), errors: [each.message] }));
    form.setFields(places.filter((each) => each.name.length > 0) as Parameters<typeof form.setFields>[0]);
    const others = errors.filter((each) => placeOf(each.field, year).length === 0);
    setWrong([error.message, ...others.map((each) => each.message)]);
  }

  return (
    <Form<Values>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{
        announced: said?.announced ?? true,
        holidays: (said?.holidays ?? []).map((each) => ({ from: each.from, to: each.to, zh: each.name?.["zh-CN"], en: each.name?.en })),
        make_up_days: (said?.make_up_days ?? []).map((day) => ({ day })),
      }}
      onFinish={(values) => void send(values)}
    >
      {!calendar.extends && (
        <Form.Item name="announced" label={t("calendars.announced", { year })} valuePropName="checked"><Switch /></Form.Item>
      )}
      <h3>{t(calendar.extends ? "calendars.closures" : "calendars.holidays")}</h3>
      <Form.List name="holidays">
        {(rows, { add, remove }) => (
          <>
            {rows.map(({ key, name }) => (
              <Space key={key} align="start" wrap>
                <Day name={[name, "from"]} label={t("calendars.from")} />
                <Day name={[name, "to"]} label={t("calendars.to")} />
                <Form.Item name={[name, "zh"]} label={t("calendars.name_zh")}><Input style={{ width: 160 }} /></Form.Item>
                <Form.Item name={[name, "en"]} label={t("calendars.name_en")}><Input style={{ width: 200 }} /></Form.Item>
                <Form.Item label=" "><Button onClick={() => remove(name)}>{t("calendars.remove")}</Button></Form.Item>
              </Space>
            ))}
            <div><Button onClick={() => add({})}>{t("calendars.add_holiday")}</Button></div>
          </>
        )}
      </Form.List>
      <h3 style={{ marginTop: 24 }}>{t(calendar.extends ? "calendars.openings" : "calendars.make_up_days")}</h3>
      <Form.List name="make_up_days">
        {(rows, { add, remove }) => (
          <>
            {rows.map(({ key, name }) => (
              <Space key={key} align="start" style={{ marginInlineEnd: 24 }}>
                <Day name={[name, "day"]} label={t("calendars.day")} />
                <Form.Item label=" "><Button onClick={() => remove(name)}>{t("calendars.remove")}</Button></Form.Item>
              </Space>
            ))}
            <div><Button onClick={() => add({})}>{t("calendars.add_day")}</Button></div>
          </>
        )}
      </Form.List>
      <Form.Item name="reason" label={t("calendars.reason")} style={{ marginTop: 24, maxWidth: 640 }}><Input.TextArea rows={2} maxLength={500} /></Form.Item>
      {wrong.length > 0 && <Alert type="error" role="alert" style={{ marginBottom: 16 }} title={wrong.map((each) => <div key={each}>{each}</div>)} />}
      {outlook && <DatesTable outlook={outlook} />}
      <Space>
        <Button type="primary" htmlType="submit" loading={busy}>{t("calendars.save")}</Button>
        <Button loading={busy} onClick={() => void look()}>{t("recounts.preview")}</Button>
      </Space>
    </Form>
  );
}

function Day({ name, label }: { name: (string | number)[]; label: string }) {
  return <Form.Item name={name} label={label}><Input type="date" style={{ width: 160 }} /></Form.Item>;
}

function asHoliday(row: Row): Shapes["HolidayShape"] {
  const name: Record<string, string> = {};
  if (row.zh?.trim()) name["zh-CN"] = row.zh.trim();
  if (row.en?.trim()) name.en = row.en.trim();
  return { from: row.from ?? "", to: row.to || row.from || "", name };
}

/** The form's field for what the server calls `years.2026.holidays.0.to`; empty if there is none. */
function placeOf(field: string, year: number): (string | number)[] {
  if (field === "reason") return ["reason"];
  const inside = field.startsWith(`years.${year}.`) ? field.slice(`years.${year}.`.length) : "";
  const [list, at, part] = inside.split(".");
  if (list === "holidays" && at && part) return [list, Number(at), part === "name" ? "zh" : part];
  if (list === "make_up_days" && at) return [list, Number(at), "day"];
  return [];
}
