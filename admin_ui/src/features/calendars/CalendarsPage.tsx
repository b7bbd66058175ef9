import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Card, Modal, Segmented, Spin, Table, Tabs, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, type Me, type Shapes, take } from "../../api/client";
import { moment } from "../../app/dates";
import { mayAdminister, mayRecount } from "../../app/session";
import { ChangeList } from "./ChangeList";
import { type Calendar, yearsOf } from "./days";
import { ImportCard } from "./ImportCard";
import { RecountsCard } from "./RecountsCard";
import { SettingsForm } from "./SettingsForm";
import { YearForm } from "./YearForm";
import { YearView } from "./YearView";

type Line = Shapes["CalendarLine"];

/** Which days are worked: by calendar and year, with editing, import and what was changed. */
export default function CalendarsPage({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<string>();
  const [adding, setAdding] = useState(false);
  const list = useQuery({
    queryKey: ["calendars", i18n.language],
    queryFn: () => take(api.GET("/api/v1/calendars")),
  });
  const lines = list.data?.items ?? [];
  const name = chosen ?? lines.find((line) => line.main)?.name;

  async function create(body: Shapes["NewCalendar"]) {
    const made = await take(api.POST("/api/v1/calendars", { body }));
    setAdding(false);
    setChosen(made.name);
    await queries.invalidateQueries({ queryKey: ["calendars"] });
  }

  return (
    <>
      <h1 style={{ fontSize: 22 }}>{t("menu.calendars")}</h1>
      {list.error && <Alert type="error" title={list.error.message} />}
      <Table<Line>
        rowKey="name"
        size="small"
        loading={list.isPending}
        dataSource={lines}
        pagination={false}
        onRow={(row) => ({ onClick: () => setChosen(row.name), style: { cursor: "pointer" } })}
        rowClassName={(row) => (row.name === name ? "ant-table-row-selected" : "")}
        columns={[
          { title: t("calendars.calendar"), key: "title", render: (_, row) => <><a onClick={() => setChosen(row.name)}>{row.title}</a> {row.main && <Tag variant="solid" color="#1a6b3c">{t("calendars.main")}</Tag>}</> },
          { title: t("calendars.name"), dataIndex: "name" },
          { title: t("calendars.extends"), key: "extends", render: (_, row) => row.extends ?? "–" },
          { title: t("calendars.departments"), key: "departments", render: (_, row) => row.departments.join(", ") || "–" },
          { title: t("calendars.announced_years"), key: "announced", render: (_, row) => row.announced.join(", ") || "–" },
        ]}
        footer={mayAdminister(me) ? () => <Button onClick={() => setAdding(true)}>{t("calendars.add")}</Button> : undefined}
      />
      {name && <Details key={name} name={name} me={me} others={lines} />}
      {mayRecount(me) && <RecountsCard />}
      <Modal open={adding} title={t("calendars.add")} footer={null} destroyOnHidden onCancel={() => setAdding(false)}>
        <SettingsForm others={lines} save={create} />
      </Modal>
    </>
  );
}

function Details({ name, me, others }: { name: string; me: Me; others: Line[] }) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const [year, setYear] = useState(new Date().getFullYear());
  const path = { params: { path: { name } } };
  const found = useQuery({
    queryKey: ["calendars", name, i18n.language],
    queryFn: () => take(api.GET("/api/v1/calendars/{name}", path)),
  });
  if (found.error) return <Alert type="error" title={found.error.message} />;
  if (!found.data) return <Spin />;
  const calendar = found.data;

  async function change(body: Shapes["CalendarEdit"]) {
    await take(api.PATCH("/api/v1/calendars/{name}", { ...path, body }));
    await queries.invalidateQueries({ queryKey: ["calendars"] });
    await queries.invalidateQueries({ queryKey: ["recounts"] });
  }

  function preview(body: Shapes["CalendarEdit"]) {
    return take(api.POST("/api/v1/calendars/{name}/preview", { ...path, body }));
  }

  const choose = <Segmented style={{ marginBottom: 16 }} options={yearsOf(calendar, new Date())} value={year} onChange={setYear} />;
  const tabs = [
    { key: "year", label: t("calendars.year"), children: <>{choose}<YearView calendar={calendar} year={year} /></> },
    { key: "edit", label: t("calendars.edit"), children: <>{choose}<YearForm key={`${calendar.revision} ${year}`} calendar={calendar} year={year} save={change} preview={preview} /></> },
    { key: "import", label: t("calendars.import"), children: <ImportCard calendar={calendar} /> },
    { key: "settings", label: t("calendars.settings"), children: <SettingsForm key={calendar.revision} calendar={calendar} others={others} save={(said) => change({ ...said, revision: calendar.revision })} /> },
    { key: "changes", label: t("calendars.changes"), children: <History calendar={calendar} /> },
  ];
  const shown = mayAdminister(me) ? tabs : tabs.filter((tab) => ["year", "changes"].includes(tab.key));
  return (
    <Card style={{ marginTop: 24 }} title={calendar.title[i18n.language] ?? calendar.name}>
      <Tabs items={shown} />
    </Card>
  );
}

function History({ calendar }: { calendar: Calendar }) {
  const { t, i18n } = useTranslation();
  return (
    <Table<Shapes["ChangeShape"]>
      rowKey="revision"
      size="small"
      pagination={{ pageSize: 10, hideOnSinglePage: true }}
      dataSource={calendar.changes}
      expandable={{ expandedRowRender: (row) => <ChangeList changes={row.changes} /> }}
      columns={[
        { title: t("calendars.revision"), dataIndex: "revision" },
        { title: t("calendars.at"), key: "at", render: (_, row) => moment(row.at, i18n.language) },
        { title: t("calendars.by"), dataIndex: "actor_name" },
        { title: t("calendars.why"), dataIndex: "reason" },
      ]}
    />
  );
}
