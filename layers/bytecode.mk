# What both layers' recipes share.
TARGET := $(ARTIFACTS_DIR)/python
# The template's Runtime.
RUNTIME = 3.13
# The project's virtual environment has pip; the system's Python may lack it.
PYTHON ?= $(shell ls "$(HERE)/../../.venv/bin/python" 2>/dev/null || echo python3)

# Lambda cannot write beside a layer's modules, so that without bytecode each cold start compiles them all anew.
# Only the runtime's own version of Python can make it; a layer without it works as well, and starts slower.
# Times of files do not survive the upload, so that the bytecode is valid without asking for them.
define BYTECODE
for python in "$(RUNTIME_PYTHON)" "$(PYTHON)" python$(RUNTIME); do \
	if "$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(RUNTIME)")' 2>/dev/null; then \
		exec "$$python" -m compileall -q -s "$(TARGET)" -p /opt/python \
			--invalidation-mode unchecked-hash "$(TARGET)"; \
	fi; \
done; \
echo "No Python $(RUNTIME) here (RUNTIME_PYTHON names one): functions will start slower, without bytecode."
endef
