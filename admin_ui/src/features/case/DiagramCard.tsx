import { useQuery } from "@tanstack/react-query";
import { Card, Skeleton, Tag } from "antd";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { api, type CaseView, take } from "../../api/client";

const ProcessDiagram = lazy(() => import("../designer/ProcessDiagram"));

/** Where the case stands on its process diagram. */
export function DiagramCard({ view }: { view: CaseView }) {
  const { t, i18n } = useTranslation();
  const diagram = useQuery({
    queryKey: ["diagram", view.id, i18n.language],
    queryFn: () =>
      take(api.GET("/api/v1/cases/{case_id}/diagram", { params: { path: { case_id: view.id } } })),
    staleTime: Infinity,
  });
  return (
    <Card
      title={t("case.diagram")}
      extra={
        <>
          <Tag variant="solid" color="#8a4b00">● {t("diagram.active")}</Tag>
          <Tag variant="solid" color="#1a6b3c">✓ {t("diagram.passed")}</Tag>
        </>
      }
    >
      {diagram.data ? (
        <Suspense fallback={<Skeleton active />}>
          <ProcessDiagram
            xml={diagram.data.xml}
            labels={diagram.data.labels}
            active={view.active_elements}
            passed={view.passed_elements}
          />
        </Suspense>
      ) : (
        <Skeleton active />
      )}
    </Card>
  );
}
