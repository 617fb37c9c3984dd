"""The playground of `make up`: what people do in Solvimon, in Rillet and at the bank, as buttons."""
