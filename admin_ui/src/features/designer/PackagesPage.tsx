import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Col, Row, Table, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Me, type Shapes, take } from "../../api/client";
import { moment } from "../../app/dates";
import { mayPublish } from "../../app/session";
import ProcessDiagram from "./ProcessDiagram";
import { UploadCard } from "./UploadCard";

type Version = Shapes["VersionView"];

/** What is published, its diagram, and publishing a new version. */
export default function PackagesPage({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const [chosen, setChosen] = useState<string>();
  const [wrong, setWrong] = useState<string[]>([]);
  const list = useQuery({
    queryKey: ["packages", i18n.language],
    queryFn: () => take(api.GET("/api/v1/packages")),
  });
  const versions = list.data?.items ?? [];
  const shown = chosen ?? versions.find((version) => version.current)?.id;
  const diagram = useQuery({
    queryKey: ["package-diagram", shown, i18n.language],
    enabled: shown !== undefined,
    queryFn: () =>
      take(api.GET("/api/v1/packages/{version_id}/diagram", { params: { path: { version_id: shown! } } })),
  });
  return (
    <>
      <h1 style={{ fontSize: 22 }}>{t("menu.packages")}</h1>
      {list.error && <Alert type="error" title={list.error.message} />}
      <Row gutter={[24, 24]}>
        <Col xs={24} lg={mayPublish(me) ? 14 : 24}>
          <Table<Version>
            rowKey="id"
            size="middle"
            loading={list.isPending}
            dataSource={versions}
            pagination={false}
            onRow={(row) => ({ onClick: () => setChosen(row.id), style: { cursor: "pointer" } })}
            rowClassName={(row) => (row.id === shown ? "ant-table-row-selected" : "")}
            columns={[
              { title: t("package.title"), key: "title", render: (_, row) => <><a onClick={() => setChosen(row.id)}>{row.title}</a><div style={{ color: "#545e6b" }}>{row.key}</div></> },
              { title: t("package.version"), key: "version", render: (_, row) => <>{row.version} {row.current && <Tag variant="solid" color="#1a6b3c">{t("package.current")}</Tag>}</> },
              { title: t("package.services"), key: "services", render: (_, row) => row.services.join(", ") },
              { title: t("package.open_cases"), dataIndex: "open_cases" },
              { title: t("package.published"), key: "published", render: (_, row) => moment(row.published_at, i18n.language) },
              { title: "", key: "archive", render: (_, row) => mayPublish(me) && <a href={`/api/v1/packages/${row.id}/archive`}>{t("package.download")}</a> },
            ]}
          />
        </Col>
        {mayPublish(me) && (
          <Col xs={24} lg={10}>
            <UploadCard keys={[...new Set(versions.map((version) => version.key))]} onFindings={(findings) => setWrong(findings.flatMap((finding) => (finding.element ? [finding.element] : [])))} />
          </Col>
        )}
        <Col span={24}>
          <Card title={t("package.diagram")}>
            {diagram.data && <ProcessDiagram xml={diagram.data.xml} labels={diagram.data.labels} wrong={wrong} height={480} />}
          </Card>
        </Col>
      </Row>
    </>
  );
}
