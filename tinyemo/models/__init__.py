"""Models: label anchors, the metric projector, the multimodal language model, OpenELM, LLaVA."""
