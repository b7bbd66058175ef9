import { useMutation } from "@tanstack/react-query";
import { App, Button, Card, Flex, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { api, type CaseView, take } from "../../api/client";

interface Props {
  view: CaseView;
  onChanged: (next?: CaseView) => void;
}

/** Which cases belong together, and merging this one into another or parting it again. */
export function MergeBar({ view, onChanged }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [into, setInto] = useState("");
  const path = { case_id: view.id };
  const act = useMutation({
    mutationFn: (what: "merge" | "unmerge") =>
      what === "merge"
        ? take(api.POST("/api/v1/cases/{case_id}/merge", { params: { path }, body: { into } }))
        : take(api.POST("/api/v1/cases/{case_id}/unmerge", { params: { path } })),
    onSuccess: (next) => {
      setInto("");
      onChanged(next);
    },
    onError: (error) => message.warning(error.message),
  });
  if (!view.may_merge && !view.main && view.followers.length === 0) return null;
  return (
    <Card size="small" title={t("merge.title")} style={{ marginBottom: 24 }}>
      {view.main && (
        <Flex gap="small" align="center" wrap>
          <span>{t("merge.follows")} <Link to={`/cases/${view.main.id}`}>{view.main.reference}</Link></span>
          {view.may_merge && <Button size="small" loading={act.isPending} onClick={() => act.mutate("unmerge")}>{t("merge.part")}</Button>}
        </Flex>
      )}
      {view.followers.length > 0 && (
        <div>
          {t("merge.followers", { count: view.followers.length })}{" "}
          {view.followers.map((each) => <Link key={each.id} to={`/cases/${each.id}`} style={{ marginRight: 12 }}>{each.reference}</Link>)}
        </div>
      )}
      {view.may_merge && !view.main && view.followers.length === 0 && (
        <Flex gap="small" wrap>
          <Input aria-label={t("merge.into")} placeholder={t("merge.into")} value={into} onChange={(event) => setInto(event.target.value)} style={{ maxWidth: 260 }} />
          <Button disabled={!into.trim()} loading={act.isPending} onClick={() => act.mutate("merge")}>{t("merge.merge")}</Button>
        </Flex>
      )}
    </Card>
  );
}
