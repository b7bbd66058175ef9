import { useQuery } from "@tanstack/react-query";
import { Badge, Button } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { api, take } from "../../api/client";

const REFRESH = 30_000;

/** How many notices I have not read; opens them. */
export function NoticeBell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const page = useQuery({
    queryKey: ["notices", "unread"],
    queryFn: () => take(api.GET("/api/v1/notices", { params: { query: { unread: true, limit: 1 } } })),
    refetchInterval: REFRESH,
  });
  const unread = page.data?.unread ?? 0;
  return (
    <Badge count={unread} size="small">
      <Button size="small" onClick={() => void navigate("/notices")}>
        {t("menu.notices")}
      </Button>
    </Badge>
  );
}
