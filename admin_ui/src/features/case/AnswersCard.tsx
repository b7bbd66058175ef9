import { Card, Descriptions, Tag } from "antd";
import { useTranslation } from "react-i18next";

import type { Shapes } from "../../api/client";
import { moment } from "../../app/dates";

/** What the applicant and each officer answered, newest wording, flagged fields marked. */
export function AnswersCard({ groups }: { groups: Shapes["AnswerGroup"][] }) {
  const { t, i18n } = useTranslation();
  return groups.map((group, index) => (
    <Card
      key={index}
      size="small"
      title={group.title}
      extra={`${group.by ?? ""} ${group.at ? moment(group.at, i18n.language) : ""}`}
      style={{ marginBottom: 16 }}
    >
      <Descriptions
        column={1}
        size="small"
        items={group.rows.map((row) => ({
          key: row.field,
          label: row.label,
          children: (
            <div style={{ whiteSpace: "pre-line" }}>
              {row.value}
              {row.documents?.map((document) => (
                <div key={document.id}>
                  <a href={`/api/v1/documents/${document.id}`}>{document.name}</a>
                </div>
              ))}
              {row.flagged && <Tag variant="solid" color="#8a4b00">{t("flag.flagged")}</Tag>}
            </div>
          ),
        }))}
      />
    </Card>
  ));
}
