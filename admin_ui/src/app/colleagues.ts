import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, type Shapes, take } from "../api/client";
import { day } from "./dates";

/** Those one may hand work to, with how much they have to do and until when they are away. */
export function useColleagues(enabled = true) {
  const { t, i18n } = useTranslation();
  const found = useQuery({
    queryKey: ["colleagues"],
    queryFn: () => take(api.GET("/api/v1/colleagues")),
    enabled,
  });
  const label = (each: Shapes["ColleagueView"]) =>
    each.absent_until
      ? t("colleague.absent", { name: each.display_name, date: day(each.absent_until, i18n.language) })
      : t("colleague.open", { name: each.display_name, count: each.open });
  return (found.data?.items ?? []).map((each) => ({
    value: each.id,
    label: label(each),
    disabled: each.absent_until != null,
  }));
}
