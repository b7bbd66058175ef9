"""Reading models: from the XML of several dialects to `engine.bpmn.model`, with findings."""
