import { Alert } from "antd";
import { useTranslation } from "react-i18next";

import type { CaseView } from "../../api/client";
import { TaskCard } from "./TaskCard";

interface Props {
  view: CaseView;
  onChanged: (next?: CaseView) => void;
}

/** What is to be done now, and by whom; my own task has its form in place. */
export function TaskPanel({ view, onChanged }: Props) {
  const { t } = useTranslation();
  const shown = view.tasks.filter((task) => task.state === "open" || task.state === "held");
  if (shown.length === 0) {
    return <Alert type="success" showIcon title={t("task.none")} style={{ marginBottom: 24 }} />;
  }
  return shown.map((task) => <TaskCard key={task.id} task={task} view={view} onChanged={onChanged} />);
}
