"""The settings by what they are about; `thetool.config.Settings` is all of them together."""
