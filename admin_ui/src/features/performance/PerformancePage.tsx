import { useQuery } from "@tanstack/react-query";
import { Alert, Card, Col, Row, Skeleton, Statistic, Table } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, type Shapes, take } from "../../api/client";
import { day } from "../../app/dates";
import { TimeLeft } from "../../app/TimeLeft";
import { Chart } from "./Chart";
import { HeatTable } from "./HeatTable";
import { ReturnsCard } from "./ReturnsCard";

type Figures = Shapes["SlaFigures"];

function share(part: number, whole: number): string {
  return whole === 0 ? "–" : `${Math.round((100 * part) / whole)} %`;
}

/** Where limits are about to break, by promise and by law, never mixed. */
export default function PerformancePage() {
  const { t, i18n } = useTranslation();
  const found = useQuery({
    queryKey: ["sla", i18n.language],
    queryFn: () => take(api.GET("/api/v1/sla")),
    refetchInterval: 30_000,
  });
  if (found.error) return <Alert type="error" title={found.error.message} />;
  if (!found.data) return <Skeleton active />;
  const figures = found.data;
  const tiles: [string, string | number, string?][] = [
    ["open", figures.open],
    ["due_soon", figures.due_soon, figures.due_soon ? "#8a4b00" : undefined],
    ["overdue_promised", figures.overdue_promised, figures.overdue_promised ? "#b3261e" : undefined],
    ["overdue_legal", figures.overdue_legal, figures.overdue_legal ? "#b3261e" : undefined],
    ["on_time_promised", share(figures.on_time_promised, figures.closed)],
    ["on_time_legal", share(figures.on_time_legal, figures.closed)],
  ];
  return (
    <>
      <h1 style={{ fontSize: 22 }}>{t("menu.performance")}</h1>
      {figures.incidents > 0 && <Alert type="warning" title={t("sla.incidents", { count: figures.incidents })} style={{ marginBottom: 16 }} />}
      <Row gutter={[16, 16]}>
        {tiles.map(([key, value, color]) => (
          <Col key={key} xs={12} md={8} xl={4}>
            <Card size="small">
              <Statistic title={t(`sla.${key}`)} value={value} styles={{ content: { color } }} />
            </Card>
          </Col>
        ))}
        <Col span={24}>
          <Card title={t("sla.heat")}><HeatTable cells={figures.cells} /></Card>
        </Col>
        <Col xs={24} xl={14}>
          <Card title={t("sla.months")}><OnTime figures={figures} /></Card>
        </Col>
        <Col xs={24} xl={10}>
          <Card title={t("sla.ratings")}><Ratings counts={figures.ratings} /></Card>
        </Col>
        <Col span={24}>
          <Card title={t("sla.at_risk")}><AtRisk rows={figures.at_risk} /></Card>
        </Col>
        <Col span={24}>
          <ReturnsCard />
        </Col>
      </Row>
    </>
  );
}

function OnTime({ figures }: { figures: Figures }) {
  const { t } = useTranslation();
  const option = useMemo(
    () => ({
      tooltip: { trigger: "axis" },
      legend: { top: 0 },
      grid: { left: 45, right: 20, bottom: 30, top: 40 },
      xAxis: { type: "category", data: figures.months.map((month) => month.month) },
      yAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value} %" } },
      series: [
        { name: t("sla.on_time_promised"), key: "on_time_promised" as const, color: "#0b4f9e" },
        { name: t("sla.on_time_legal"), key: "on_time_legal" as const, color: "#8a4b00" },
      ].map(({ name, key, color }) => ({
        name,
        color,
        type: "line",
        data: figures.months.map((month) => Math.round((100 * month[key]) / Math.max(month.closed, 1))),
      })),
    }),
    [figures, t],
  );
  return <Chart option={option} />;
}

function Ratings({ counts }: { counts: number[] }) {
  const { t } = useTranslation();
  const option = useMemo(
    () => ({
      tooltip: {},
      grid: { left: 40, right: 20, bottom: 30, top: 20 },
      xAxis: { type: "category", data: [1, 2, 3, 4, 5].map((grade) => t(`grade.${grade}`)) },
      yAxis: { type: "value", minInterval: 1 },
      series: [{ type: "bar", color: "#0b4f9e", data: counts, label: { show: true, position: "top" } }],
    }),
    [counts, t],
  );
  return <Chart option={option} />;
}

function AtRisk({ rows }: { rows: Shapes["SlaRisk"][] }) {
  const { t, i18n } = useTranslation();
  return (
    <Table<Shapes["SlaRisk"]>
      rowKey="case_id"
      size="small"
      pagination={false}
      dataSource={rows}
      locale={{ emptyText: t("sla.none_at_risk") }}
      columns={[
        { title: t("column.reference"), key: "reference", render: (_, row) => <Link to={`/cases/${row.case_id}`}>{row.reference}</Link> },
        { title: t("column.service"), dataIndex: "service_name" },
        { title: t("column.department"), dataIndex: "department_name" },
        { title: t("column.task"), dataIndex: "task_name" },
        { title: t("column.assignee"), dataIndex: "assignee_name" },
        { title: t("column.left"), key: "left", render: (_, row) => <TimeLeft remaining={row.overdue && row.remaining_working_days === 0 ? -1 : row.remaining_working_days} /> },
        { title: t("promised"), key: "promised", render: (_, row) => <strong>{day(row.promised_due_at, i18n.language)}</strong> },
        { title: t("legal"), key: "legal", render: (_, row) => day(row.legal_due_at, i18n.language) },
      ]}
    />
  );
}
