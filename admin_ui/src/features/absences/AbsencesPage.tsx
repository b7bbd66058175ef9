import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Card, Col, DatePicker, Form, Row, Select, Table, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { api, type Me, type Shapes, take } from "../../api/client";
import { useColleagues } from "../../app/colleagues";
import { day } from "../../app/dates";

type Absence = Shapes["AbsenceView"];
interface Day {
  format: (pattern: string) => string;
}
interface Entered {
  days: [Day, Day];
  user_id?: string;
  substitute_id?: string;
  services?: string[];
}
const DATE = "YYYY-MM-DD";

/** Who is away and who acts for them: one's own, and for a manager the whole department. */
export function AbsencesPage({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["absences"], queryFn: () => take(api.GET("/api/v1/absences")) });
  const keep = (list: Shapes["AbsenceList"]) => {
    queries.setQueryData(["absences"], list);
    void queries.invalidateQueries({ queryKey: ["colleagues"] });
  };
  const end = useMutation({
    mutationFn: (id: string) => take(api.POST("/api/v1/absences/{absence_id}/end", { params: { path: { absence_id: id } } })),
    onSuccess: keep,
    onError: (error) => message.warning(error.message),
  });
  return (
    <>
      <h1 style={{ fontSize: 22 }}>{t("menu.absences")}</h1>
      {found.error && <Alert type="error" title={found.error.message} />}
      <Row gutter={[24, 24]}>
        <Col xs={24} lg={15}>
          <Table<Absence>
            rowKey="id"
            loading={found.isPending}
            dataSource={found.data?.items}
            pagination={false}
            locale={{ emptyText: t("absence.none") }}
            columns={[
              { title: t("absence.who"), key: "who", render: (_, row) => <>{row.name} {row.now && <Tag variant="solid" color="#8a4b00">{t("absence.now")}</Tag>}</> },
              { title: t("absence.days"), key: "days", render: (_, row) => `${day(row.first_day, i18n.language)} – ${day(row.last_day, i18n.language)}` },
              { title: t("absence.substitute"), key: "substitute", render: (_, row) => row.substitute_name ?? t("absence.nobody") },
              { title: t("absence.services"), key: "services", render: (_, row) => row.services.join(", ") || t("absence.all") },
              { title: "", key: "end", render: (_, row) => row.may_end && <Button size="small" loading={end.isPending} onClick={() => end.mutate(row.id)}>{t(row.now ? "absence.back" : "absence.cancel")}</Button> },
            ]}
          />
        </Col>
        <Col xs={24} lg={9}>
          <EnterCard manager={me.roles.includes("manager")} onEntered={keep} />
        </Col>
      </Row>
    </>
  );
}

function EnterCard({ manager, onEntered }: { manager: boolean; onEntered: (list: Shapes["AbsenceList"]) => void }) {
  const { t, i18n } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<Entered>();
  const colleagues = useColleagues();
  const packages = useQuery({ queryKey: ["packages", i18n.language], queryFn: () => take(api.GET("/api/v1/packages")) });
  const services = (packages.data?.items ?? [])
    .filter((each) => each.current)
    .flatMap((each) => each.services.map((value) => ({ value, label: `${value} ${each.title}` })));
  const enter = useMutation({
    mutationFn: ({ days, ...more }: Entered) =>
      take(api.POST("/api/v1/absences", { body: { services: [], ...more, first_day: days[0].format(DATE), last_day: days[1].format(DATE) } })),
    onSuccess: (list) => {
      form.resetFields();
      void message.success(t("absence.entered"));
      onEntered(list);
    },
    onError: (error) => message.warning(error.message),
  });
  return (
    <Card title={t("absence.enter")}>
      <Form form={form} layout="vertical" onFinish={(values) => enter.mutate(values)}>
        {manager && (
          <Form.Item name="user_id" label={t("absence.who")}>
            <Select allowClear placeholder={t("absence.myself")} optionFilterProp="label" options={colleagues} />
          </Form.Item>
        )}
        <Form.Item name="days" label={t("absence.days")} rules={[{ required: true, message: t("absence.days_missing") }]}>
          <DatePicker.RangePicker style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item name="substitute_id" label={t("absence.substitute")}>
          <Select allowClear placeholder={t("absence.nobody")} optionFilterProp="label" options={colleagues} />
        </Form.Item>
        <Form.Item name="services" label={t("absence.services")} extra={t("absence.services_hint")}>
          <Select mode="multiple" placeholder={t("absence.all")} optionFilterProp="label" options={services} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={enter.isPending}>{t("absence.enter")}</Button>
      </Form>
    </Card>
  );
}
