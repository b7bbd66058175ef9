import { Button, Layout, Menu, Space } from "antd";
import { useTranslation } from "react-i18next";
import { Outlet, useLocation, useNavigate } from "react-router";

import type { Me } from "../api/client";
import { NoticeBell } from "../features/notices/NoticeBell";
import {
  mayAdminister,
  mayHandle,
  mayPublish,
  maySeePerformance,
  useSession,
} from "./session";

/** The frame of every page: what I may open, who I am, and my language. */
export function Shell({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const session = useSession();
  const items = [
    mayHandle(me) && me.department ? { key: "/inbox", label: t("menu.inbox") } : null,
    mayHandle(me) ? { key: "/cases", label: t("menu.cases") } : null,
    mayHandle(me) ? { key: "/absences", label: t("menu.absences") } : null,
    maySeePerformance(me) ? { key: "/performance", label: t("menu.performance") } : null,
    mayPublish(me) || maySeePerformance(me) ? { key: "/packages", label: t("menu.packages") } : null,
    mayAdminister(me) ? { key: "/calendars", label: t("menu.calendars") } : null,
    mayAdminister(me) ? { key: "/people", label: t("menu.people") } : null,
  ].filter((item) => item !== null);
  const other = i18n.language === "en" ? "zh-CN" : "en";
  return (
    <Layout style={{ minHeight: "100vh" }}>
      <Layout.Header style={{ display: "flex", alignItems: "center", gap: 24, paddingInline: 24 }}>
        <strong style={{ color: "#fff", fontSize: 18, whiteSpace: "nowrap" }}>{t("product")}</strong>
        <Menu
          theme="dark"
          mode="horizontal"
          style={{ flex: 1, minWidth: 0 }}
          items={items}
          selectedKeys={items.map((item) => item.key).filter((key) => pathname.startsWith(key))}
          onClick={({ key }) => void navigate(key)}
        />
        <Space>
          {mayHandle(me) && <NoticeBell />}
          <span style={{ color: "#fff" }}>
            {me.display_name}
            {me.department_name ? ` · ${me.department_name}` : ""}
          </span>
          <Button size="small" lang={other} onClick={() => void session.setLocale(other, me)}>
            {other === "en" ? "English" : "中文"}
          </Button>
          <Button size="small" onClick={() => void session.signOut()}>
            {t("sign_out")}
          </Button>
        </Space>
      </Layout.Header>
      <Layout.Content style={{ padding: 24 }}>
        <Outlet />
      </Layout.Content>
    </Layout>
  );
}
