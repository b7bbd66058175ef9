import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Card, Col, Row, Skeleton, Steps, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { api, type CaseView, take } from "../../api/client";
import { AnswersCard } from "./AnswersCard";
import { CaseHeader } from "./CaseHeader";
import { DiagramCard } from "./DiagramCard";
import { MergeBar } from "./MergeBar";
import { DocumentList, LetterList, Timeline } from "./Record";
import { TaskPanel } from "./TaskPanel";

/** One case: dates, what to do now, what was said, and where it stands. */
export function CasePage() {
  const { t } = useTranslation();
  const { caseId = "" } = useParams();
  const queries = useQueryClient();
  const key = ["case", caseId];
  const found = useQuery({
    queryKey: key,
    queryFn: () => take(api.GET("/api/v1/cases/{case_id}", { params: { path: { case_id: caseId } } })),
  });
  if (found.error) return <Alert type="error" title={found.error.message} />;
  if (!found.data) return <Skeleton active />;
  const view = found.data;

  function refresh(next?: CaseView) {
    if (next) queries.setQueryData(key, next);
    else void queries.invalidateQueries({ queryKey: key });
    void queries.invalidateQueries({ queryKey: ["tasks"] });
  }

  const at = view.stages.findIndex((stage) => stage.state === "current");
  return (
    <>
      <CaseHeader view={view} onChanged={refresh} />
      <Steps
        size="small"
        current={at < 0 ? view.stages.length : at}
        items={view.stages.map((stage) => ({ title: stage.name }))}
        style={{ margin: "16px 0 24px" }}
      />
      <Row gutter={[24, 24]}>
        <Col xs={24} lg={14}>
          <TaskPanel view={view} onChanged={refresh} />
          <MergeBar view={view} onChanged={refresh} />
          <AnswersCard groups={view.answers} />
        </Col>
        <Col xs={24} lg={10}>
          <Card>
            <Tabs
              items={[
                { key: "timeline", label: t("case.timeline"), children: <Timeline events={view.events} /> },
                { key: "letters", label: `${t("case.letters")} (${view.letters.length})`, children: <LetterList letters={view.letters} /> },
                { key: "documents", label: `${t("case.documents")} (${view.documents.length})`, children: <DocumentList documents={view.documents} /> },
              ]}
            />
          </Card>
        </Col>
        <Col span={24}>
          <DiagramCard view={view} />
        </Col>
      </Row>
    </>
  );
}
