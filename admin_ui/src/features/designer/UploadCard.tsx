import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Card, Select, Space, Upload } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Finding, postForm, Problem, type Shapes } from "../../api/client";
import { FindingTable } from "./FindingTable";
import { MovesTable } from "./MovesTable";

interface Props {
  keys: string[];
  onFindings: (findings: Finding[]) => void;
}

interface Report {
  kind: "success" | "info" | "error";
  text: string;
  findings: Finding[];
}

/** Upload a package or one of its files; what is wrong is said by file, element and line. */
export function UploadCard({ keys, onFindings }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [file, setFile] = useState<File>();
  const [key, setKey] = useState<string>();
  const [report, setReport] = useState<Report>();
  const [busy, setBusy] = useState(false);
  const [moves, setMoves] = useState<Shapes["WouldMoveRow"][]>();
  const single = file !== undefined && !file.name.endsWith(".zip");

  async function send(trial: boolean) {
    if (!file) return;
    setBusy(true);
    const body = new FormData();
    body.append("file", file);
    if (key) body.append("key", key);
    try {
      const made = await postForm<Shapes["PublishReport"]>(`/api/v1/packages?trial=${trial}`, body);
      const text = made.published ? "upload.published" : made.unchanged ? "upload.unchanged" : "upload.fine";
      show({
        kind: made.published ? "success" : "info",
        text: t(text, { title: made.title, version: made.version ?? "" }),
        findings: made.findings,
      });
      void queries.invalidateQueries({ queryKey: ["packages"] });
    } catch (error) {
      const findings = error instanceof Problem ? (error.body.findings ?? []) : [];
      show({ kind: "error", text: (error as Error).message, findings });
    } finally {
      setBusy(false);
    }
  }

  async function preview() {
    if (!file) return;
    setBusy(true);
    const body = new FormData();
    body.append("file", file);
    body.append("key", key ?? "");
    try {
      setMoves((await postForm<Shapes["WouldMovePage"]>("/api/v1/dispatch/preview", body)).items);
      setReport(undefined);
    } catch (error) {
      const findings = error instanceof Problem ? (error.body.findings ?? []) : [];
      show({ kind: "error", text: (error as Error).message, findings });
    } finally {
      setBusy(false);
    }
  }

  function show(next: Report) {
    setReport(next);
    onFindings(next.findings);
  }

  return (
    <Card title={t("upload.title")}>
      <Upload.Dragger
        accept=".zip,.bpmn,.dmn,.json,.j2,.toml"
        maxCount={1}
        beforeUpload={(next) => {
          setFile(next);
          setReport(undefined);
          setMoves(undefined);
          return false;
        }}
        onRemove={() => setFile(undefined)}
      >
        <p>{t("upload.hint")}</p>
      </Upload.Dragger>
      {single && (
        <Select
          aria-label={t("upload.package")}
          placeholder={t("upload.package")}
          style={{ width: "100%", marginTop: 12 }}
          options={keys.map((value) => ({ value, label: value }))}
          value={key}
          onChange={setKey}
        />
      )}
      <Space wrap style={{ marginTop: 12 }}>
        <Button disabled={!file || (single && !key)} loading={busy} onClick={() => void send(true)}>
          {t("upload.check")}
        </Button>
        <Button disabled={!file || (single && !key)} loading={busy} onClick={() => void preview()}>
          {t("moves.preview")}
        </Button>
        <Button type="primary" disabled={!file || (single && !key)} loading={busy} onClick={() => void send(false)}>
          {t("upload.publish")}
        </Button>
      </Space>
      {report && <Alert type={report.kind} title={report.text} role="status" style={{ margin: "12px 0" }} />}
      {report && report.findings.length > 0 && <FindingTable findings={report.findings} />}
      {moves && <MovesTable rows={moves} onMoved={() => setMoves(undefined)} />}
    </Card>
  );
}
