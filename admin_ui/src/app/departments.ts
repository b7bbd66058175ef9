import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, take } from "../api/client";

/** All departments, as choices of a select. */
export function useDepartments(): { value: string; label: string }[] {
  const { i18n } = useTranslation();
  const found = useQuery({
    queryKey: ["departments", i18n.language],
    queryFn: () => take(api.GET("/api/v1/departments")),
    staleTime: 300_000,
  });
  return (found.data?.items ?? []).map((each) => ({ value: each.code, label: each.name }));
}
