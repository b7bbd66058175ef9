import { useQuery, useQueryClient } from "@tanstack/react-query";

import { api, type Me, rememberToken, take } from "../api/client";
import { rememberZone } from "./dates";
import { chooseLocale, type Locale } from "./i18n";

const KEY = ["me"];

export function useMe() {
  return useQuery({
    queryKey: KEY,
    queryFn: async () => {
      const me = await take(api.GET("/api/v1/me"));
      rememberToken(me.csrf_token);
      rememberZone(me.zone);
      return me;
    },
    retry: false,
    staleTime: 60_000,
  });
}

/** Signing in and out, and changing the language of the whole session. */
export function useSession() {
  const queries = useQueryClient();
  return {
    async signIn(user_name: string, password: string): Promise<Me> {
      const me = await take(api.POST("/api/v1/session", { body: { user_name, password } }));
      rememberToken(me.csrf_token);
      rememberZone(me.zone);
      chooseLocale(me.locale as Locale);
      queries.setQueryData(KEY, me);
      return me;
    },
    async signOut(): Promise<void> {
      await take(api.DELETE("/api/v1/session"));
      window.location.assign("/staff/");
    },
    async setLocale(locale: Locale, me?: Me): Promise<void> {
      chooseLocale(locale);
      if (me) {
        await take(api.PUT("/api/v1/me/locale", { body: { locale } }));
      }
      await queries.invalidateQueries();
    },
  };
}

export function mayHandle(me: Me): boolean {
  return me.roles.includes("caseworker") || me.roles.includes("manager");
}
export function mayPublish(me: Me): boolean {
  return me.roles.includes("designer") || me.roles.includes("administrator");
}
export function maySeePerformance(me: Me): boolean {
  return me.roles.includes("manager") || me.roles.includes("administrator");
}
export function mayAdminister(me: Me): boolean {
  return me.roles.includes("administrator");
}

/** Whether somebody may move the dates of many cases: administrators and the office's manager. */
export function mayRecount(me: Me): boolean {
  return mayAdminister(me) || (me.roles.includes("manager") && !me.department);
}

/** Where somebody with these roles begins. */
export function firstPage(me: Me): string {
  if (mayHandle(me) && me.department) return "/inbox";
  if (maySeePerformance(me)) return "/performance";
  return "/packages";
}
