import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Card, Col, Form, Input, InputNumber, Row, Select, Switch, Table } from "antd";
import { useTranslation } from "react-i18next";

import { api, Problem, type Shapes, take } from "../../api/client";

type User = Shapes["UserView"];
type NewUser = Shapes["NewUser"];
const ROLES = ["caseworker", "manager", "designer", "administrator", "job_worker"] as const;

function handles(row: User): boolean {
  return row.roles.includes("caseworker") || row.roles.includes("manager");
}

/** The administrator's page: who works here, in which department and role. */
export function PeoplePage() {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const [form] = Form.useForm<NewUser>();
  const users = useQuery({ queryKey: ["users"], queryFn: () => take(api.GET("/api/v1/users")) });
  const departments = useQuery({
    queryKey: ["departments", i18n.language],
    queryFn: () => take(api.GET("/api/v1/departments")),
  });
  const refresh = () => void queries.invalidateQueries({ queryKey: ["users"] });
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string } & Shapes["UserChange"]) =>
      take(api.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: id } }, body })),
    onSuccess: refresh,
    onError: (error) => message.error(error.message),
  });
  const add = useMutation({
    mutationFn: (body: NewUser) => take(api.POST("/api/v1/users", { body })),
    onSuccess: () => {
      form.resetFields();
      void message.success(t("people.added"));
      refresh();
    },
    onError: (error) => {
      const errors = error instanceof Problem ? (error.body.errors ?? []) : [];
      form.setFields(errors.map((each) => ({ name: each.field as keyof NewUser, errors: [each.message] })));
      void message.error(error.message);
    },
  });
  const names = new Map(departments.data?.items.map((each) => [each.code, each.name]));
  return (
    <>
      <h1 style={{ fontSize: 22 }}>{t("menu.people")}</h1>
      {users.error && <Alert type="error" title={users.error.message} />}
      <Row gutter={[24, 24]}>
        <Col xs={24} lg={16}>
          <Table<User>
            rowKey="id"
            size="small"
            loading={users.isPending}
            dataSource={users.data?.items}
            pagination={false}
            columns={[
              { title: t("signin.user_name"), dataIndex: "user_name" },
              { title: t("people.name"), dataIndex: "display_name" },
              { title: t("people.roles"), key: "roles", render: (_, row) => row.roles.map((role) => t(`role.${role}`)).join(", ") },
              { title: t("column.department"), key: "department", render: (_, row) => names.get(row.department ?? "") ?? "–" },
              { title: t("people.skills"), key: "skills", render: (_, row) => handles(row) && <Select mode="tags" size="small" aria-label={`${t("people.skills")} ${row.user_name}`} style={{ minWidth: 140 }} open={false} value={row.skills} onChange={(skills: string[]) => change.mutate({ id: row.id, skills })} /> },
              { title: t("people.capacity"), key: "capacity", render: (_, row) => handles(row) && <InputNumber size="small" min={0} max={1000} aria-label={`${t("people.capacity")} ${row.user_name}`} defaultValue={row.daily_capacity ?? 0} onBlur={(event) => { const value = Number(event.target.value); if (value !== (row.daily_capacity ?? 0)) change.mutate({ id: row.id, daily_capacity: value }); }} /> },
              { title: t("people.active"), key: "active", render: (_, row) => <Switch aria-label={`${t("people.active")} ${row.user_name}`} checked={row.active} onChange={(active) => change.mutate({ id: row.id, active })} /> },
            ]}
          />
        </Col>
        <Col xs={24} lg={8}>
          <Card title={t("people.add")}>
            <Form form={form} layout="vertical" onFinish={(values) => add.mutate(values)}>
              <Form.Item name="user_name" label={t("signin.user_name")} rules={[{ required: true, message: t("signin.user_name_missing") }]}><Input /></Form.Item>
              <Form.Item name="display_name" label={t("people.name")} rules={[{ required: true, message: t("people.name_missing") }]}><Input /></Form.Item>
              <Form.Item name="password" label={t("signin.password")} rules={[{ required: true, min: 12, message: t("people.password_short") }]}><Input.Password autoComplete="new-password" /></Form.Item>
              <Form.Item name="roles" label={t("people.roles")} rules={[{ required: true, message: t("people.roles_missing") }]}><Select mode="multiple" options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} /></Form.Item>
              <Form.Item name="department" label={t("column.department")}><Select allowClear options={departments.data?.items.map((each) => ({ value: each.code, label: each.name }))} /></Form.Item>
              <Button type="primary" htmlType="submit" loading={add.isPending}>{t("people.add")}</Button>
            </Form>
          </Card>
        </Col>
      </Row>
    </>
  );
}
