import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { App as Messages, ConfigProvider, Result, Spin } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";

import { AbsencesPage } from "../features/absences/AbsencesPage";
import { CasePage } from "../features/case/CasePage";
import { CasesPage } from "../features/case/CasesPage";
import { InboxPage } from "../features/inbox/InboxPage";
import { NoticesPage } from "../features/notices/NoticesPage";
import { PeoplePage } from "../features/people/PeoplePage";
import { SignInPage } from "../features/signin/SignInPage";
import { firstPage, useMe } from "./session";
import { Shell } from "./Shell";

const CalendarsPage = lazy(() => import("../features/calendars/CalendarsPage"));
const PackagesPage = lazy(() => import("../features/designer/PackagesPage"));
const PerformancePage = lazy(() => import("../features/performance/PerformancePage"));

const queries = new QueryClient({ defaultOptions: { queries: { retry: 1 } } });
const BLUE = "#0b4f9e";

export function App() {
  const { i18n } = useTranslation();
  return (
    <ConfigProvider
      locale={i18n.language === "en" ? enUS : zhCN}
      button={{ autoInsertSpace: false }}
      theme={{ token: { colorPrimary: BLUE, colorInfo: BLUE, colorLink: BLUE, fontSize: 15 } }}
    >
      <Messages>
        <QueryClientProvider client={queries}>
          <BrowserRouter basename="/staff">
            <Suspense fallback={<Spin fullscreen />}>
              <Pages />
            </Suspense>
          </BrowserRouter>
        </QueryClientProvider>
      </Messages>
    </ConfigProvider>
  );
}

function Pages() {
  const { t } = useTranslation();
  const me = useMe();
  if (me.isPending) return <Spin fullscreen />;
  if (!me.data) return <SignInPage />;
  if (me.data.roles.every((role) => role === "citizen")) {
    return <Result status="403" title={t("not_staff")} extra={<a href="/">{t("to_portal")}</a>} />;
  }
  return (
    <Routes>
      <Route element={<Shell me={me.data} />}>
        <Route path="/" element={<Navigate to={firstPage(me.data)} replace />} />
        <Route path="/inbox" element={<InboxPage />} />
        <Route path="/cases" element={<CasesPage />} />
        <Route path="/cases/:caseId" element={<CasePage />} />
        <Route path="/absences" element={<AbsencesPage me={me.data} />} />
        <Route path="/notices" element={<NoticesPage />} />
        <Route path="/packages" element={<PackagesPage me={me.data} />} />
        <Route path="/performance" element={<PerformancePage />} />
        <Route path="/calendars" element={<CalendarsPage me={me.data} />} />
        <Route path="/people" element={<PeoplePage />} />
        <Route path="*" element={<Result status="404" title={t("no_page")} />} />
      </Route>
    </Routes>
  );
}
