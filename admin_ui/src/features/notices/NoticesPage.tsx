import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Empty, Flex, Skeleton, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, Problem, type Shapes, take } from "../../api/client";
import { moment } from "../../app/dates";

/** What I am told of dates that come or have passed, newest first. */
export function NoticesPage() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const queries = useQueryClient();
  const page = useInfiniteQuery({
    queryKey: ["notices", "all"],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      take(api.GET("/api/v1/notices", { params: { query: { cursor: pageParam } } })),
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const read = useMutation({
    mutationFn: (ids: string[]) => take(api.POST("/api/v1/notices/read", { body: { ids } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["notices"] }),
    onError: (error) => message.warning(error.message),
  });
  if (page.error instanceof Problem) return <Alert type="error" title={page.error.message} />;
  if (!page.data) return <Skeleton active />;
  const rows = page.data.pages.flatMap((each) => each.items);
  const unread = page.data.pages[0]?.unread ?? 0;
  return (
    <>
      <Flex justify="space-between" align="center" style={{ marginBottom: 16 }}>
        <h1 style={{ fontSize: 22, margin: 0 }}>{t("menu.notices")}</h1>
        {unread > 0 && (
          <Button loading={read.isPending} onClick={() => read.mutate([])}>
            {t("notices.read_all")}
          </Button>
        )}
      </Flex>
      {rows.length === 0 && <Empty description={t("notices.none")} />}
      <ul style={{ listStyle: "none", margin: 0, padding: 0 }}>
        {rows.map((notice) => (
          <Row key={notice.id} notice={notice} onOpen={() => read.mutate([notice.id])} />
        ))}
      </ul>
      {page.hasNextPage && (
        <Button style={{ marginTop: 16 }} onClick={() => void page.fetchNextPage()}>
          {t("inbox.more")}
        </Button>
      )}
    </>
  );
}

function Row({ notice, onOpen }: { notice: Shapes["NoticeView"]; onOpen: () => void }) {
  const { t, i18n } = useTranslation();
  return (
    <li style={{ background: "#fff", padding: "12px 16px", marginBottom: 8, borderRadius: 6 }}>
      <Flex justify="space-between" wrap gap="small">
        <Link
          to={`/cases/${notice.case_id}`}
          style={{ fontWeight: notice.read_at ? 400 : 700 }}
          onClick={() => {
            if (!notice.read_at) onOpen();
          }}
        >
          {notice.title}
        </Link>
        <span style={{ color: "#545e6b" }}>
          {!notice.personal && <Tag>{t("notices.shared")}</Tag>}
          {moment(notice.created_at, i18n.language)}
        </span>
      </Flex>
      <div style={{ whiteSpace: "pre-line", color: "#545e6b" }}>{notice.text}</div>
    </li>
  );
}
