import i18n from "i18next";
import { initReactI18next } from "react-i18next";

import en from "../locales/en.json";
import zh from "../locales/zh-CN.json";

export type Locale = "zh-CN" | "en";

function firstLocale(): Locale {
  const kept = globalThis.localStorage?.getItem("banshi_locale");
  if (kept === "zh-CN" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

void i18n.use(initReactI18next).init({
  resources: { "zh-CN": { translation: zh }, en: { translation: en } },
  lng: firstLocale(),
  fallbackLng: "zh-CN",
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false },
});

export function chooseLocale(locale: Locale): void {
  globalThis.localStorage?.setItem("banshi_locale", locale);
  document.documentElement.lang = locale;
  void i18n.changeLanguage(locale);
}

export default i18n;
