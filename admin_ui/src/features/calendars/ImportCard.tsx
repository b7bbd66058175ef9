import { useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Checkbox, Input, Space, Upload } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { postForm, Problem, type Shapes } from "../../api/client";
import { ChangeList } from "./ChangeList";
import type { Calendar } from "./days";

type Report = Shapes["ImportReport"];

/** Take over the years of a file: first what would change, then, with a reason, the change. */
export function ImportCard({ calendar }: { calendar: Calendar }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [file, setFile] = useState<File>();
  const [preview, setPreview] = useState<Report>();
  const [found, setFound] = useState<number[]>([]);
  const [years, setYears] = useState<number[]>([]);
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);

  async function send(chosen: File, only?: number[], apply = false) {
    const body = new FormData();
    body.append("file", chosen);
    only?.forEach((year) => body.append("years", String(year)));
    if (apply) {
      body.append("reason", reason);
      body.append("revision", String(preview?.revision));
    }
    setBusy(true);
    setWrong([]);
    try {
      const report = await postForm<Report>(`/api/v1/calendars/${calendar.name}/import?apply=${apply}`, body);
      if (apply) {
        void message.success(t("calendars.imported"));
        reset(undefined);
        await queries.invalidateQueries({ queryKey: ["calendars"] });
        return;
      }
      setPreview(report);
      if (!only) {
        setFound(report.years);
        setYears(report.years);
      }
    } catch (error) {
      const errors = error instanceof Problem ? (error.body.errors ?? []) : [];
      setWrong([(error as Error).message, ...errors.map((each) => each.message)]);
    } finally {
      setBusy(false);
    }
  }

  function reset(next: File | undefined) {
    setFile(next);
    setPreview(undefined);
    setWrong([]);
    setReason("");
  }

  function choose(next: number[]) {
    setYears(next);
    if (file && next.length > 0) void send(file, next);
  }

  return (
    <div style={{ maxWidth: 800 }}>
      <Upload.Dragger
        accept=".ics,.json"
        maxCount={1}
        fileList={file ? [{ uid: "1", name: file.name }] : []}
        beforeUpload={(next) => {
          reset(next);
          void send(next);
          return false;
        }}
        onRemove={() => reset(undefined)}
      >
        <p>{t("calendars.import_hint")}</p>
      </Upload.Dragger>
      {wrong.length > 0 && (
        <Alert type="error" role="alert" style={{ marginTop: 16 }} title={wrong.map((each) => <div key={each}>{each}</div>)} />
      )}
      {preview && file && (
        <div style={{ marginTop: 16 }} role="status">
          <h3>{t("calendars.preview")}</h3>
          {found.length > 1 && (
            <Checkbox.Group style={{ marginBottom: 12 }} options={found.map((year) => ({ value: year, label: String(year) }))} value={years} onChange={choose} />
          )}
          <ChangeList changes={preview.changes} />
          <Space orientation="vertical" style={{ width: "100%", marginTop: 16 }}>
            <label htmlFor="import-reason">{t("calendars.reason")}</label>
            <Input.TextArea id="import-reason" rows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
            <Button type="primary" loading={busy} disabled={years.length === 0} onClick={() => void send(file, years, true)}>
              {t("calendars.apply")}
            </Button>
          </Space>
        </div>
      )}
    </div>
  );
}
