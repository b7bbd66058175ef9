import { Collapse, Empty, Tag, Timeline as Line } from "antd";
import { useTranslation } from "react-i18next";

import type { Shapes } from "../../api/client";
import { moment } from "../../app/dates";

export function Timeline({ events }: { events: Shapes["EventView"][] }) {
  const { i18n } = useTranslation();
  return (
    <Line
      items={[...events].reverse().map((event) => ({
        key: event.number,
        content: (
          <>
            {event.text}
            <div style={{ color: "#545e6b" }}>
              {moment(event.at, i18n.language)} · {event.actor}
            </div>
          </>
        ),
      }))}
    />
  );
}

export function LetterList({ letters }: { letters: Shapes["LetterView"][] }) {
  const { t, i18n } = useTranslation();
  if (letters.length === 0) return <Empty />;
  return (
    <Collapse
      items={letters.map((letter) => ({
        key: letter.id,
        label: letter.subject ?? letter.name,
        extra: letter.sent_at ? moment(letter.sent_at, i18n.language) : <Tag>{t("letter.waiting")}</Tag>,
        children: (
          <>
            <p>{t("letter.to", { name: letter.to })}</p>
            <div style={{ whiteSpace: "pre-line" }}>{letter.body}</div>
          </>
        ),
      }))}
    />
  );
}

export function DocumentList({ documents }: { documents: Shapes["DocumentView"][] }) {
  const { i18n } = useTranslation();
  if (documents.length === 0) return <Empty />;
  return (
    <ul>
      {documents.map((document) => (
        <li key={document.id}>
          <a href={`/api/v1/documents/${document.id}`}>{document.name}</a>{" "}
          <span style={{ color: "#545e6b" }}>
            {Math.ceil(document.size / 1024)} KB · {moment(document.uploaded_at, i18n.language)}
          </span>
        </li>
      ))}
    </ul>
  );
}
