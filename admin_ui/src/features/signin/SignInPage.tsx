import { Alert, Button, Card, Form, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSession } from "../../app/session";

export function SignInPage() {
  const { t, i18n } = useTranslation();
  const session = useSession();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const other = i18n.language === "en" ? "zh-CN" : "en";

  async function submit(values: { user_name: string; password: string }) {
    setBusy(true);
    setProblem(undefined);
    try {
      await session.signIn(values.user_name, values.password);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <main style={{ display: "grid", placeItems: "center", minHeight: "100vh", background: "#eef3f9" }}>
      <Card style={{ width: 400 }}>
        <h1 style={{ fontSize: 22 }}>{t("signin.title")}</h1>
        {problem && <Alert type="error" title={problem} role="alert" style={{ marginBottom: 16 }} />}
        <Form layout="vertical" requiredMark={false} onFinish={(values) => void submit(values)}>
          <Form.Item name="user_name" label={t("signin.user_name")} rules={[{ required: true, message: t("signin.user_name_missing") }]}>
            <Input autoComplete="username" autoFocus />
          </Form.Item>
          <Form.Item name="password" label={t("signin.password")} rules={[{ required: true, message: t("signin.password_missing") }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
          <Button type="primary" htmlType="submit" block loading={busy}>
            {t("signin.button")}
          </Button>
        </Form>
        <p style={{ marginTop: 16, display: "flex", justifyContent: "space-between" }}>
          <a href="/">{t("to_portal")}</a>
          <Button size="small" lang={other} onClick={() => void session.setLocale(other)}>
            {other === "en" ? "English" : "中文"}
          </Button>
        </p>
      </Card>
    </main>
  );
}
